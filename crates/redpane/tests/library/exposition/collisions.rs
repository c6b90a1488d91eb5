//! Any names, labels and values that an application can think of: the exposition stays valid, without duplicates, and
//! shows exactly what was recorded.

use std::collections::{BTreeMap, HashMap, HashSet};

use proptest::prelude::*;
use redpane::{ExpositionFormat, Redpane};
use test_support::exposition::{Act, Expected, Exposition, Labels, Operation, is_shown};

use super::support::quiet_log;

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
            Exposition::of(&telemetry.render(ExpositionFormat::Text), ExpositionFormat::Text).families.into_iter().map(|f| f.name).collect();
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
            let seen = Exposition::of(&telemetry.render(format), format);
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
            let seen = Exposition::of(&telemetry.render(format), format);
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
