//! Steps of a timeline that was recorded.

use super::*;

const START: u64 = 1_800_000_000;

#[test]
fn a_slot_belongs_to_one_step_at_a_time() {
    let mut timeline = Timeline::new();
    assert_eq!(timeline.begin(START).fresh, [true; 3]);
    assert_eq!(timeline.begin(START + 1).fresh, [true, false, false]);
    assert_eq!(timeline.begin(START + 1).fresh, [false; 3], "a second is counted once");
    assert_eq!(timeline.find(1, START / 10).unwrap().1, 2);
    assert_eq!(timeline.find(0, START - 1), None);
    timeline.begin(START + 900);
    assert_eq!(timeline.find(0, START), None, "its place is taken");
    assert!(timeline.find(1, START / 10).is_some());
}

#[test]
fn the_finest_step_that_reaches_back() {
    let mut timeline = Timeline::new();
    (0..30).for_each(|second| _ = timeline.begin(START + second));
    let end = START + 30;
    let ms = |seconds: u64| seconds * 1000;
    assert_eq!(timeline.range(ms(end - 20), ms(end - 10)), Range { length: 0, first: end - 20, end: end - 10 });
    assert_eq!(timeline.range(ms(end - 20) + 1, ms(end - 10) + 1).end, end - 9, "widened to the step");
    assert_eq!(timeline.range(ms(end - 901), ms(end)).length, 1);
    assert_eq!(timeline.range(0, u64::MAX).length, 2);
    assert_eq!(timeline.range(0, u64::MAX).points(), 1440);
    assert_eq!(timeline.range(ms(end + 50), ms(end + 60)).points(), 0, "the future is empty");
    assert_eq!(timeline.newest(0, 60), Range { length: 0, first: end - 60, end });
    let recorded = |from: u64, to: u64| timeline.recorded(timeline.range(ms(from), ms(to)));
    assert_eq!([recorded(START - 60, START), recorded(START - 5, START + 5), recorded(end, end + 9)], [0, 5, 0]);
}

#[test]
fn the_step_that_is_running_is_a_part_of_what_is_new() {
    let mut timeline = Timeline::new();
    (0..25).for_each(|second| _ = timeline.begin(START + second));
    let step = START / 10;
    assert_eq!(timeline.newest(1, 20), Range { length: 1, first: step, end: step + 2 });
    assert_eq!(timeline.newest_with_running(1, 20), Range { length: 1, first: step, end: step + 3 });
    assert_eq!(timeline.newest_with_running(0, 20), timeline.newest(0, 20), "a second is over");
    (25..30).for_each(|second| _ = timeline.begin(START + second));
    assert_eq!(timeline.newest_with_running(1, 20), timeline.newest(1, 20));
    assert_eq!(timeline.newest_with_running(1, u64::MAX).points(), 1080);
}
