//! Outputs that fail, and recover.

use std::io::ErrorKind::{BrokenPipe, Interrupted, StorageFull};

use proptest::prelude::*;

use super::outputs::{Scripted, Step};
use super::support::{PATIENCE, announced, dropped, emit, events, numbers, read, small};

#[test]
fn what_a_failing_output_lost_is_told_when_it_recovers() {
    let output = Scripted::default();
    let telemetry = small(output.clone()).build().unwrap();
    emit(&telemetry, 0..2);
    telemetry.flush(PATIENCE).unwrap();
    output.then([Step::Fail(StorageFull), Step::Fail(BrokenPipe)]);
    for batch in [2..5, 5..6] {
        emit(&telemetry, batch);
        telemetry.flush(PATIENCE).expect("lines that are lost are not waited for");
    }
    assert_eq!(dropped(&telemetry, "write_failed"), 4);
    let losses = telemetry.log_losses();
    assert_eq!((losses.lines, losses.announced), (4, 0), "nobody could be told yet");
    emit(&telemetry, 6..8);
    telemetry.flush(PATIENCE).unwrap();
    let losses = telemetry.log_losses();
    assert_eq!((losses.lines, losses.announced), (4, 4));
    let (lines, torn) = read(&output.written);
    assert_eq!((numbers(&lines), announced(&lines), torn), (vec![0, 1, 6, 7], vec![4], 0));
    assert_eq!(events(&telemetry), lines.len() as u64 + 4, "a line is either read or counted as lost");
}

#[test]
fn an_output_that_takes_nothing_is_one_that_fails() {
    let output = Scripted::default();
    let telemetry = small(output.clone()).build().unwrap();
    output.then([Step::Take(0)]);
    emit(&telemetry, 0..1);
    telemetry.flush(PATIENCE).unwrap();
    emit(&telemetry, 1..2);
    telemetry.flush(PATIENCE).unwrap();
    let (lines, _) = read(&output.written);
    assert_eq!((numbers(&lines), announced(&lines)), (vec![1], vec![1]));
}

#[test]
fn a_torn_line_is_lost_and_the_next_one_does_not_continue_it() {
    // The four are one write, unless the writer wakes between two of them. Then less is lost, and it is tried again.
    let seen = (0..50).map(|_| {
        let output = Scripted::default();
        let telemetry = small(output.clone()).build().unwrap();
        output.then([Step::Take(300), Step::Fail(BrokenPipe)]);
        emit(&telemetry, 0..4);
        telemetry.flush(PATIENCE).unwrap();
        emit(&telemetry, 4..6);
        telemetry.flush(PATIENCE).unwrap();
        let (lines, torn) = read(&output.written);
        assert_eq!(dropped(&telemetry, "write_failed"), announced(&lines).iter().sum::<u64>());
        (numbers(&lines), announced(&lines), torn)
    });
    let one_write = (vec![0, 4, 5], vec![3], 1);
    let others: Vec<_> = seen.take_while(|seen| *seen != one_write).collect();
    assert!(others.len() < 50, "not once {one_write:?}: {others:?}");
}

#[test]
fn a_flush_that_fails_after_all_was_written_loses_nothing_and_tells_nothing_twice() {
    let output = Scripted::default();
    let telemetry = small(output.clone()).build().unwrap();
    output.then([Step::Fail(BrokenPipe)]);
    emit(&telemetry, 0..1);
    telemetry.flush(PATIENCE).unwrap();
    output.then_fail_to_flush(BrokenPipe);
    emit(&telemetry, 1..2);
    telemetry.flush(PATIENCE).unwrap();
    emit(&telemetry, 2..3);
    telemetry.flush(PATIENCE).unwrap();
    let (lines, torn) = read(&output.written);
    assert_eq!((numbers(&lines), announced(&lines), torn), (vec![1, 2], vec![1], 0));
    assert_eq!(dropped(&telemetry, "write_failed"), 1);
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1_usize..400).prop_map(Step::Take),
        1 => Just(Step::Fail(BrokenPipe)),
        1 => Just(Step::Fail(Interrupted)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn read_and_announced_lines_are_all_lines(script in prop::collection::vec((1_u64..6, prop::collection::vec(step(), 0..6)), 1..5)) {
        let output = Scripted::default();
        let telemetry = small(output.clone()).build().unwrap();
        let mut emitted = 0;
        for (lines, steps) in script {
            output.then(steps);
            emit(&telemetry, emitted..emitted + lines);
            emitted += lines;
            telemetry.flush(PATIENCE).unwrap();
        }
        // Whatever is left of the script is over after one line for each step.
        for _ in 0..30 {
            emit(&telemetry, emitted..emitted + 1);
            emitted += 1;
            telemetry.flush(PATIENCE).unwrap();
        }
        let (lines, torn) = read(&output.written);
        let lost = announced(&lines).iter().sum::<u64>();
        let shown = numbers(&lines);
        prop_assert!(shown.is_sorted_by(|one, next| one < next), "no line comes twice: {shown:?}");
        prop_assert_eq!(shown.len() as u64 + lost, emitted, "{} lines are torn", torn);
        prop_assert_eq!(dropped(&telemetry, "write_failed"), lost);
        prop_assert_eq!(events(&telemetry), lines.len() as u64 + lost);
    }
}
