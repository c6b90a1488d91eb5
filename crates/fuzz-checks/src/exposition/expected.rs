//! What a scrape must show of the requests that were sent and of what the application recorded.

use std::collections::{BTreeSet, HashMap, HashSet};

use test_support::exposition::{Act, Expected, Exposition, Labels, Operation, is_shown};

use super::Requests;

pub(super) fn check_requests(seen: &Exposition, requests: &Requests) {
    let sent: u64 = requests.values().sum();
    assert_eq!(seen.sum("http_requests_total"), sent as f64);
    assert_eq!(seen.sum("http_request_duration_seconds_count"), sent as f64);
    assert_eq!(seen.value("http_requests_in_flight", &[]), Some(0.0));
    assert_eq!(seen.value("redpane_series", &[]), Some(seen.samples("http_requests_total").len() as f64));
    let mut overflowed = 0.0;
    for ([method, route, status], count) in requests {
        let count = *count as f64;
        let labels = |route| [("method", method.as_str()), ("route", route), ("status", status.as_str())];
        let shown = seen.value("http_requests_total", &labels(route)).unwrap_or(0.0);
        assert!(shown <= count, "{shown} of {count} {method} {route} {status}");
        assert_eq!(seen.value("http_request_duration_seconds_count", &labels(route)).unwrap_or(0.0), shown);
        overflowed += count - shown;
    }
    assert_eq!(seen.value("redpane_series_overflow_total", &[]), Some(overflowed));
}

fn kind(act: Act) -> &'static str {
    match act {
        Act::Increment(_) => "counter",
        Act::Set(_) => "gauge",
        Act::Record(_) => "histogram",
    }
}

/// A name is shown as one kind, then with all of its series, or it was refused for another one in its way.
pub(super) fn check_application(
    seen: &[Exposition; 2],
    recorded: &[Operation],
    own: &HashSet<String>,
    helps: &HashSet<String>,
) {
    let names: BTreeSet<_> = recorded.iter().map(|operation| operation.shown().0).collect();
    for name in names.iter().filter(|name| !own.contains(*name)) {
        let of_name: Vec<_> = recorded.iter().filter(|operation| operation.shown().0 == *name).collect();
        let Some(family) = seen[0].family(name) else {
            let in_its_way = |other: &&String| *other != name && (other.starts_with(name) || name.starts_with(*other));
            assert!(names.iter().chain(own).any(|other| in_its_way(&other)), "{name} is not shown");
            continue;
        };
        let is_histogram = |operation: &&&Operation| kind(operation.act) == "histogram";
        // Counters and gauges stand in the way of the same names: of these two, the first one decides.
        let shown_kind = match family.kind.as_str() {
            "histogram" => "histogram",
            _ => of_name.iter().find(|operation| !is_histogram(operation)).map_or("none", |first| kind(first.act)),
        };
        let mut expected: HashMap<Labels, Expected> = HashMap::new();
        for operation in of_name.into_iter().filter(|operation| kind(operation.act) == shown_kind) {
            let labels = operation.shown().1;
            let earlier = expected.get(&labels).copied();
            expected.insert(labels, operation.add(earlier));
        }
        for seen in seen {
            for (labels, value) in &expected {
                assert!(is_shown(seen, name, labels, *value), "{name} {labels:?} is not {value:?}");
            }
        }
        let series = family.samples.iter().filter(|sample| shown_kind != "histogram" || sample.name.ends_with("_sum"));
        assert_eq!(series.count(), expected.len(), "series of {name}");
        assert!(family.help.iter().all(|help| helps.contains(help)), "nobody said {:?}", family.help);
    }
}
