//! Outputs that take some of it, later, or slowly.

use std::io::ErrorKind::{BrokenPipe, Interrupted, WouldBlock};
use std::io::{self, Write};
use std::thread;
use std::time::Duration;

use proptest::prelude::*;
use redpane::{LogFormat, OverflowPolicy, Redpane};
use test_support::Log;

use super::outputs::{Scripted, Step};
use super::support::{PATIENCE, announced, dropped, emit, numbers, read, small};

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1_usize..300).prop_map(Step::Take),
        1 => Just(Step::Fail(WouldBlock)),
        1 => Just(Step::Fail(Interrupted)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn short_and_postponed_writes_change_nothing(steps in prop::collection::vec(step(), 0..40)) {
        let output = Scripted::default();
        output.then(steps);
        let telemetry = small(output.clone()).build().unwrap();
        emit(&telemetry, 0..30);
        telemetry.flush(PATIENCE).unwrap();
        let (lines, torn) = read(&output.written);
        prop_assert_eq!((numbers(&lines), torn, announced(&lines).len()), (Vec::from_iter(0..30), 0, 0));
    }

    #[test]
    fn nor_in_the_pretty_form(steps in prop::collection::vec(step(), 0..40)) {
        let output = Scripted::default();
        output.then(steps);
        let telemetry = small(output.clone()).log_format(LogFormat::Pretty).build().unwrap();
        emit(&telemetry, 0..30);
        telemetry.flush(PATIENCE).unwrap();
        let text = output.written.text();
        let shown: Vec<_> = text.lines().map(pretty_number).collect();
        prop_assert_eq!(shown, (0..30).map(Some).collect::<Vec<_>>());
    }
}

fn pretty_number(line: &str) -> Option<u64> {
    line.split(' ').find_map(|word| word.strip_prefix("number="))?.parse().ok()
}

#[test]
fn a_torn_pretty_line_is_counted_exactly_too() {
    let output = Scripted::default();
    output.then([Step::Take(10_000), Step::Take(20), Step::Fail(BrokenPipe)]);
    let telemetry = small(output.clone()).log_format(LogFormat::Pretty).build().unwrap();
    emit(&telemetry, 0..4);
    telemetry.flush(PATIENCE).unwrap();
    emit(&telemetry, 4..6);
    telemetry.flush(PATIENCE).unwrap();
    let text = output.written.text();
    let shown: Vec<_> = text.lines().filter_map(pretty_number).collect();
    assert_eq!(shown, [0, 4, 5], "{text}");
    assert!(text.contains("log lines were lost lines=3"), "{text}");
    assert_eq!(dropped(&telemetry, "write_failed"), 3);
}

/// Takes its time for every write.
struct Slow(Log);

impl Write for Slow {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        thread::sleep(Duration::from_millis(3));
        self.0.write(&bytes[..bytes.len().min(16 * 1024)])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn many_threads_and_a_slow_output_keep_every_line_whole_and_in_order() {
    const THREADS: u64 = 4;
    const EACH: u64 = 1000;
    let written = Log::default();
    let redpane = Redpane::new("test").log_writer(Slow(written.clone())).log_buffer_bytes(128 * 1024);
    let telemetry = redpane.log_overflow(OverflowPolicy::Block { deadline: PATIENCE }).build().unwrap();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let telemetry = &telemetry;
            scope.spawn(move || emit(telemetry, thread * EACH..(thread + 1) * EACH));
        }
    });
    telemetry.flush(PATIENCE).unwrap();
    let (lines, torn) = read(&written);
    let all = numbers(&lines);
    assert_eq!((all.len() as u64, torn), (THREADS * EACH, 0));
    for thread in 0..THREADS {
        let own: Vec<_> = all.iter().copied().filter(|number| number / EACH == thread).collect();
        assert_eq!(own, Vec::from_iter(thread * EACH..(thread + 1) * EACH));
    }
}
