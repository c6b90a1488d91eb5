//! Any names, labels and values that an application can think of: the exposition stays valid, without duplicates, and
//! shows exactly what was recorded.

use std::collections::{BTreeMap, HashMap, HashSet};

use metrics::{Key, Label, Metadata, Recorder};
use proptest::prelude::*;
use redpane::{ExpositionFormat, Redpane};

use crate::parser::Exposition;
use crate::parts::Labels;
use crate::support::{quiet_log, valid};

#[derive(Clone, Debug)]
struct Operation {
    name: String,
    labels: Vec<(String, String)>,
    act: Act,
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Increment(u32),
    Set(f64),
    Record(f64),
}

/// What one series adds up to. Its name as it should be shown, and its labels, are the key.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Expected {
    Counter(u64),
    Gauge(f64),
    Histogram { count: u64, sum: f64 },
}

const NAMES: [&str; 24] = [
    "jobs",
    "jobs_total",
    "jobs_count",
    "jobs_sum",
    "jobs_bucket",
    "jobs.total",
    "jobs_total_total",
    "tasks",
    "tasks",
    "",
    "_total",
    "9lives",
    "a b",
    "new\nline",
    "http_requests",
    "http_requests_total",
    "http_request_duration_seconds",
    "http_request_duration_seconds_count",
    "http_requests_in_flight",
    "http_requests_in_flight_total",
    "log_events",
    "redpane_series",
    "redpane_series_total",
    "redpane_build_info",
];
const LABELS: [&str; 10] = ["le", "exported_le", "a", "a-b", "a_b", "", "_", "1", "é", "__name__"];
const VALUES: [&str; 12] =
    ["", "a\\b", "a\\\\b", "\"", "\n", "\\n", "\\\n", "x\\", "\\\"", "\r\n", "a,b=\"c\"} 1", "\n\n# EOF\n"];

fn one_of(fixed: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop_oneof![4 => prop::sample::select(fixed).prop_map(str::to_owned), 1 => any::<String>()]
}

fn number() -> impl Strategy<Value = f64> {
    let special = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, 0.001, 0.25, 1e-9, 1e300, f64::MIN_POSITIVE];
    prop_oneof![1 => prop::sample::select(special.to_vec()), 2 => any::<f64>(), 2 => -10.0..10.0]
}

fn operation() -> impl Strategy<Value = Operation> {
    let act =
        prop_oneof![any::<u32>().prop_map(Act::Increment), number().prop_map(Act::Set), number().prop_map(Act::Record)];
    let labels = prop::collection::vec((one_of(&LABELS), one_of(&VALUES)), 0..4);
    (one_of(&NAMES), labels, act).prop_map(|(name, labels, act)| Operation { name, labels, act })
}

/// What Prometheus allows in a name, underscores for the rest.
fn sanitized(name: &str, colons: bool) -> String {
    let allowed = |at: usize, c: char| {
        c.is_ascii_alphabetic() || c == '_' || (colons && c == ':') || (at > 0 && c.is_ascii_digit())
    };
    let shown: String = name.chars().enumerate().map(|(at, c)| if allowed(at, c) { c } else { '_' }).collect();
    if shown.is_empty() { "_".into() } else { shown }
}

impl Operation {
    fn perform(&self, recorder: &impl Recorder) {
        const METADATA: Metadata<'static> = Metadata::new("test", metrics::Level::INFO, None);
        let labels: Vec<_> = self.labels.iter().map(|(name, value)| Label::new(name.clone(), value.clone())).collect();
        let key = Key::from_parts(self.name.clone(), labels);
        match self.act {
            Act::Increment(by) => recorder.register_counter(&key, &METADATA).increment(by.into()),
            Act::Set(to) => recorder.register_gauge(&key, &METADATA).set(to),
            Act::Record(value) => recorder.register_histogram(&key, &METADATA).record(value),
        }
    }

    fn shown(&self) -> (String, Labels) {
        let mut labels = Labels::new();
        for (name, value) in &self.labels {
            let mut name = sanitized(name, false);
            if name.starts_with("__") || (name == "le" && matches!(self.act, Act::Record(_))) {
                name.insert_str(0, "exported_");
            }
            labels.insert(name, value.clone());
        }
        (sanitized(&self.name, true), labels)
    }

    fn add(&self, earlier: Option<Expected>) -> Expected {
        match (self.act, earlier) {
            (Act::Increment(by), Some(Expected::Counter(n))) => Expected::Counter(n + u64::from(by)),
            (Act::Increment(by), _) => Expected::Counter(by.into()),
            (Act::Set(to), _) => Expected::Gauge(to),
            (Act::Record(value), earlier) => {
                let (count, sum) = match earlier {
                    Some(Expected::Histogram { count, sum }) => (count, sum),
                    _ => (0, 0.0),
                };
                Expected::Histogram { count: count + 1, sum: if value.is_nan() { sum } else { sum + value } }
            }
        }
    }
}

fn same(one: f64, other: f64) -> bool {
    one == other || (one.is_nan() && other.is_nan())
}

fn is_shown(seen: &Exposition, name: &str, labels: &Labels, expected: Expected) -> bool {
    let labels: Vec<_> = labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let shows = |name: &str, value| seen.value(name, &labels).is_some_and(|shown| same(shown, value));
    match expected {
        Expected::Counter(value) => shows(name, value as f64),
        Expected::Gauge(value) => shows(name, value),
        Expected::Histogram { count, sum } => {
            shows(&format!("{name}_count"), count as f64) && shows(&format!("{name}_sum"), sum)
        }
    }
}

/// Names that cannot mean two things: one kind only, and no other name starts with them or is their start.
fn unambiguous(operations: &[Operation], own: &HashSet<String>) -> HashSet<String> {
    let mut kinds: BTreeMap<String, HashSet<u8>> = BTreeMap::new();
    for operation in operations {
        let kind = match operation.act {
            Act::Increment(_) => 0,
            Act::Set(_) => 1,
            Act::Record(_) => 2,
        };
        kinds.entry(operation.shown().0).or_default().insert(kind);
    }
    let related =
        |one: &str, other: &String| one != other && (one.starts_with(other.as_str()) || other.starts_with(one));
    let alone = |name: &&String| {
        !own.contains(*name) && !kinds.keys().chain(own).any(|other| related(name, other)) && kinds[*name].len() == 1
    };
    kinds.keys().filter(alone).cloned().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_metrics_make_a_valid_exposition(operations in prop::collection::vec(operation(), 0..30)) {
        let telemetry = quiet_log(Redpane::new("test"));
        let own: HashSet<_> =
            valid(&telemetry.render(ExpositionFormat::Text), ExpositionFormat::Text).families.into_iter().map(|f| f.name).collect();
        let clear = unambiguous(&operations, &own);
        let mut expected: HashMap<(String, Labels), Expected> = HashMap::new();
        for operation in &operations {
            operation.perform(&telemetry.recorder());
            let series = operation.shown();
            if clear.contains(&series.0) {
                let earlier = expected.get(&series).copied();
                expected.insert(series, operation.add(earlier));
            }
        }
        for format in [ExpositionFormat::Text, ExpositionFormat::OpenMetrics] {
            let seen = valid(&telemetry.render(format), format);
            for ((name, labels), value) in &expected {
                prop_assert!(is_shown(&seen, name, labels, *value), "{name} {labels:?} is not {value:?} in {format:?}");
            }
        }
    }

    #[test]
    fn any_label_value_comes_back(values in prop::collection::hash_set(one_of(&VALUES), 1..12)) {
        let telemetry = quiet_log(Redpane::new("test").histogram_buckets("sizes", [1.0]));
        metrics::with_local_recorder(&telemetry.recorder(), || {
            for (number, value) in values.iter().enumerate() {
                metrics::counter!("jobs_total", "v" => value.clone(), "a" => "b").increment(number as u64 + 1);
                // The same label set in another order is the same series.
                metrics::counter!("jobs_total", "a" => "b", "v" => value.clone()).increment(1000);
                metrics::gauge!("depth", "v" => value.clone()).set(number as f64);
                metrics::histogram!("sizes", "le" => value.clone()).record(number as f64);
            }
        });
        for format in [ExpositionFormat::Text, ExpositionFormat::OpenMetrics] {
            let seen = valid(&telemetry.render(format), format);
            for (number, value) in values.iter().enumerate() {
                let number = number as f64;
                prop_assert_eq!(seen.value("jobs_total", &[("a", "b"), ("v", value)]), Some(number + 1001.0));
                prop_assert_eq!(seen.value("depth", &[("v", value)]), Some(number));
                prop_assert_eq!(seen.value("sizes_sum", &[("exported_le", value)]), Some(number));
            }
            prop_assert_eq!(seen.samples("jobs_total").len(), values.len());
        }
    }
}
