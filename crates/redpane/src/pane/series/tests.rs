//! Columns of a history that was recorded.

use std::collections::HashSet;
use std::sync::Arc;

use super::super::input::{Endpoint, Family, Kind, Series, Snapshot, Value};
use super::*;

const START: u64 = 1_800_000_000;

fn snapshot(ok: u64, errors: u64, orders: f64) -> Snapshot {
    let series = vec![Series { labels: "".into(), value: Value::Number(orders) }];
    let orders = Family { name: "orders_total".into(), kind: Kind::Counter, help: "".into(), unit: None, series };
    let endpoint = |route: &str, classes: [u64; 4]| Endpoint {
        method: "GET".into(),
        route: route.into(),
        classes,
        failed_calls: 0,
        buckets: vec![classes.iter().sum(), 0],
    };
    Snapshot {
        endpoints: vec![endpoint("/", [ok, 0, 0, errors]), endpoint("/metrics", [1000, 0, 0, 0])],
        families: vec![orders],
        application: 0,
    }
}

fn history() -> History {
    let mut history = History::new(Arc::new([1.0]), HashSet::from(["/metrics".to_owned()]), Vec::new());
    history.record(&snapshot(10, 0, 2.0), START);
    history.record(&snapshot(30, 20, 2.0), START + 1);
    history.record(&snapshot(60, 20, 8.0), START + 4);
    history
}

fn read_names(history: &History, names: &[&str], range: Range) -> Columns {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    read(history, &Query { names, endpoint: None }, range)
}

fn values(answer: &Columns, name: &str, label: &str) -> Vec<Option<f64>> {
    let line = answer.series.iter().find(|line| line.name == name && line.label == label);
    line.unwrap_or_else(|| panic!("no {name} {label}")).values.clone()
}

#[test]
fn columns_of_seconds() {
    let history = history();
    let range = history.timeline.newest(0, 6);
    let answer =
        read_names(&history, &["requests", "error_ratio", "latency", "heatmap", "orders_total", "nothing"], range);
    assert_eq!((answer.points, answer.step_seconds, answer.from_ms), (6, 1, (START - 1) * 1000));
    let some = |values: [f64; 5]| [None].into_iter().chain(values.map(Some)).collect::<Vec<_>>();
    assert_eq!(values(&answer, "requests", "2xx"), some([10.0, 20.0, 10.0, 10.0, 10.0]), "a gap is spread");
    assert_eq!(values(&answer, "requests", "5xx"), some([0.0, 20.0, 0.0, 0.0, 0.0]));
    assert_eq!(values(&answer, "error_ratio", "5xx"), some([0.0, 0.5, 0.0, 0.0, 0.0]));
    assert_eq!(values(&answer, "latency", "p50"), some([0.5; 5]));
    assert_eq!(values(&answer, "orders_total", ""), [None, Some(2.0), Some(0.0), None, None, Some(2.0)]);
    assert_eq!(answer.heatmap.unwrap().counts[2], Some(vec![40, 0]));
    assert_eq!(answer.unknown, ["nothing"]);
}

#[test]
fn a_metric_that_is_called_like_a_series_of_the_pane_is_found_by_its_own_form() {
    let mut history = history();
    let mut counted = snapshot(60, 20, 8.0);
    counted.families[0].name = "requests".into();
    history.record(&counted, START + 5);
    let answer =
        read_names(&history, &["requests", "metric:requests", "metric:nothing"], history.timeline.newest(0, 1));
    assert_eq!((answer.series.len(), answer.unknown), (5, vec!["metric:nothing".to_owned()]));
    let own = answer.series.last().unwrap();
    assert_eq!((&*own.name, own.values[0]), ("metric:requests", Some(8.0)));
}

#[test]
fn a_route_of_its_own_and_one_that_had_no_request() {
    let history = history();
    let range = history.timeline.newest(0, 2);
    let query = |route: &str| Query { names: vec!["requests".into()], endpoint: Some(("GET".into(), route.into())) };
    assert_eq!(values(&read(&history, &query("/"), range), "requests", "2xx"), [Some(10.0), Some(10.0)]);
    assert_eq!(values(&read(&history, &query("/none"), range), "requests", "2xx"), [None, None]);
}

#[test]
fn a_machine_that_slept_is_no_spike_over_all_of_the_time() {
    let mut history = history();
    history.record(&snapshot(100, 20, 8.0), START + 3600);
    let answer = read_names(&history, &["requests"], history.timeline.newest(0, 3));
    assert_eq!(values(&answer, "requests", "2xx"), [None, None, Some(40.0)]);
    history.record(&snapshot(101, 20, 8.0), START);
    let answer = read_names(&history, &["requests"], history.timeline.newest(0, 3));
    assert_eq!(values(&answer, "requests", "2xx"), [None, None, Some(1.0)], "the clock was set back");
}
