use std::sync::Arc;

use super::super::input::{Bounds, Family, Kind, Series, Value};
use super::super::timeline::{STEPS, Timeline};
use super::counter::OTHER;
use super::histogram::RATE;
use super::{Labelled, Metric, Tick};

struct Recorded {
    timeline: Timeline,
    metric: Metric,
    second: u64,
    free: usize,
}

impl Recorded {
    fn new(family: &Family) -> Self {
        Self { timeline: Timeline::new(), metric: Metric::new(family), second: 1_800_000_000, free: 100 }
    }

    fn record(&mut self, family: &Family) {
        let place = self.timeline.begin(self.second);
        self.metric.clear(&place);
        self.metric.record(family, Tick { place, second: self.second, seconds: 1.0 }, &mut self.free);
        self.second += 1;
    }

    /// A second in which it is not read.
    fn hold(&mut self) {
        let place = self.timeline.begin(self.second);
        self.metric.clear(&place);
        self.metric.hold(Tick { place, second: self.second, seconds: 1.0 });
        self.second += 1;
    }

    /// The newest value of each column.
    fn newest(&self, length: usize) -> Vec<(String, Option<f64>)> {
        let at = self.timeline.find(length, (self.second - 1) / STEPS[length].0).unwrap().0;
        let value = |labelled: &Labelled| (labelled.label.to_string(), labelled.column.get(length, at));
        self.metric.columns.iter().map(value).collect()
    }
}

fn numbers(kind: Kind, values: &[(&str, f64)]) -> Family {
    let series = |(labels, value): &(&str, f64)| Series { labels: (*labels).into(), value: Value::Number(*value) };
    Family { name: "m".into(), kind, help: "".into(), unit: None, series: values.iter().map(series).collect() }
}

fn histogram(series: &[&[u64]]) -> Family {
    let bounds: Bounds = Arc::new([1.0, 2.0]);
    let one = |buckets: &&[u64]| Series {
        labels: "".into(),
        value: Value::Histogram { bounds: Arc::clone(&bounds), buckets: buckets.to_vec() },
    };
    let series = series.iter().map(one).collect();
    Family { name: "m".into(), kind: Kind::Histogram, help: "".into(), unit: None, series }
}

#[test]
fn a_counter_is_a_rate() {
    let mut recorded = Recorded::new(&numbers(Kind::Counter, &[]));
    recorded.record(&numbers(Kind::Counter, &[("a", 5.0)]));
    assert_eq!(recorded.newest(0), [("a".into(), Some(5.0))], "it began at 0 with the process");
    recorded.record(&numbers(Kind::Counter, &[("a", 8.0), ("b", 2.0)]));
    assert_eq!(recorded.newest(0), [("a".into(), Some(3.0)), ("b".into(), Some(2.0))]);
    assert_eq!(recorded.newest(1)[0].1, Some(4.0), "the mean");
}

#[test]
fn label_sets_past_the_eighth_share_a_column() {
    let labels: Vec<String> = (0..12).map(|number| number.to_string()).collect();
    let all = |value: f64| -> Vec<(&str, f64)> { labels.iter().map(|label| (&**label, value)).collect() };
    let mut recorded = Recorded::new(&numbers(Kind::Counter, &[]));
    recorded.record(&numbers(Kind::Counter, &all(1.0)[..8]));
    recorded.record(&numbers(Kind::Counter, &all(2.0)));
    let newest = recorded.newest(0);
    assert_eq!((newest.len(), newest[8].clone()), (9, (OTHER.into(), Some(8.0))));
    recorded.record(&numbers(Kind::Counter, &all(3.0)));
    assert_eq!(recorded.newest(0)[8].1, Some(4.0));
}

#[test]
fn a_gauge_is_what_it_is_and_takes_no_column_that_is_not_there() {
    let mut recorded = Recorded::new(&numbers(Kind::Gauge, &[]));
    recorded.free = 1;
    recorded.record(&numbers(Kind::Gauge, &[("a", f64::NAN), ("b", 7.0), ("c", 1.0)]));
    assert_eq!((recorded.newest(0), recorded.free), (vec![("b".into(), Some(7.0))], 0));
}

#[test]
fn a_gauge_that_is_no_number_is_there_and_says_what_it_is() {
    let mut recorded = Recorded::new(&numbers(Kind::Gauge, &[]));
    let what =
        |recorded: &Recorded| recorded.metric.columns.iter().map(|labelled| labelled.not_finite).collect::<Vec<_>>();
    recorded.record(&numbers(Kind::Gauge, &[("a", f64::NAN), ("b", f64::INFINITY), ("c", 1.0)]));
    assert_eq!(recorded.newest(0), [("c".into(), Some(1.0)), ("a".into(), None), ("b".into(), None)]);
    assert_eq!(what(&recorded), [None, Some("NaN"), Some("+Inf")]);
    recorded.record(&numbers(Kind::Gauge, &[("a", 2.0), ("b", f64::NEG_INFINITY), ("c", 1.0)]));
    assert_eq!(what(&recorded), [None, None, Some("-Inf")]);
}

#[test]
fn of_many_label_sets_of_a_gauge_the_largest_are_kept() {
    let labels: Vec<String> = (0..12).map(|number| number.to_string()).collect();
    let mut values: Vec<(&str, f64)> =
        labels.iter().zip(1..).map(|(label, value)| (&**label, f64::from(value))).collect();
    let mut recorded = Recorded::new(&numbers(Kind::Gauge, &[]));
    recorded.record(&numbers(Kind::Gauge, &values));
    let kept = |recorded: &Recorded| {
        recorded.metric.columns.iter().map(|labelled| labelled.label.to_string()).collect::<Vec<_>>()
    };
    assert_eq!((kept(&recorded), recorded.metric.label_sets), (labels[4..].iter().rev().cloned().collect(), 12));
    // One that is much larger takes the place of the smallest when a minute is over, one that is a little larger does not.
    values[0].1 = 9.0;
    (0..60).for_each(|_| recorded.record(&numbers(Kind::Gauge, &values)));
    assert!(!kept(&recorded).contains(&"0".into()));
    values[0].1 = 11.0;
    (0..60).for_each(|_| recorded.record(&numbers(Kind::Gauge, &values)));
    let kept = kept(&recorded);
    assert!(kept.contains(&"0".into()) && !kept.contains(&"4".into()) && kept.len() == 8, "{kept:?}");
}

#[test]
fn a_histogram_has_the_quantiles_of_each_step() {
    let mut recorded = Recorded::new(&histogram(&[&[0, 0, 0]]));
    recorded.record(&histogram(&[&[10, 0, 0], &[10, 0, 0]]));
    recorded.record(&histogram(&[&[10, 10, 0], &[10, 10, 0]]));
    let value =
        |length: usize, label: &str| recorded.newest(length).into_iter().find(|(name, _)| name == label).unwrap().1;
    assert_eq!((value(0, "p50"), value(0, RATE)), (Some(1.5), Some(20.0)));
    assert_eq!((value(1, "p50"), value(1, RATE)), (Some(1.0), Some(20.0)), "of both seconds");
}

#[test]
fn what_was_counted_before_is_no_increase() {
    let mut family = numbers(Kind::Counter, &[("", 100.0)]);
    family.name = "process_cpu_seconds_total".into();
    let mut recorded = Recorded::new(&family);
    recorded.record(&family);
    assert_eq!(recorded.newest(0)[0].1, Some(0.0));
}

#[test]
fn what_is_not_read_in_a_second_is_as_it_was() {
    let mut counter = Recorded::new(&numbers(Kind::Counter, &[]));
    counter.record(&numbers(Kind::Counter, &[("a", 4.0)]));
    counter.hold();
    assert_eq!(counter.newest(0)[0].1, Some(4.0));
    counter.record(&numbers(Kind::Counter, &[("a", 10.0)]));
    assert_eq!(counter.newest(0)[0].1, Some(3.0), "of both seconds");

    let mut gauge = Recorded::new(&numbers(Kind::Gauge, &[]));
    gauge.record(&numbers(Kind::Gauge, &[("a", 7.0), ("b", f64::NAN)]));
    gauge.hold();
    assert_eq!(gauge.newest(0), [("a".into(), Some(7.0)), ("b".into(), None)]);

    let mut recorded = Recorded::new(&histogram(&[&[0, 0, 0]]));
    recorded.record(&histogram(&[&[10, 0, 0]]));
    recorded.hold();
    let value =
        |recorded: &Recorded, label: &str| recorded.newest(0).into_iter().find(|(name, _)| name == label).unwrap().1;
    assert_eq!((value(&recorded, "p50"), value(&recorded, RATE)), (Some(0.5), Some(10.0)));
    recorded.record(&histogram(&[&[10, 4, 0]]));
    assert_eq!((value(&recorded, "p50"), value(&recorded, RATE)), (Some(1.5), Some(2.0)), "of both seconds");
    assert_eq!(recorded.newest(1)[0].1, Some(0.7), "of all of them");
}
