//! The answer of `api/series`: history in columns.

use serde::Serialize;

use super::counts::{CLASSES, Counts};
use super::history::History;
use super::process::{CPU, MEMORY};
use super::quantile::{QUANTILES, quantile, rounded_for_chart};
use super::timeline::Range;

/// The labels of the classes of statuses.
const CLASS_LABELS: [&str; CLASSES] = ["2xx", "3xx", "4xx", "5xx"];
/// What a live feed sends where nothing is named.
pub(super) const DEFAULT: [&str; 7] = ["requests", "errors", "latency", "heatmap", "in_flight", "cpu", "memory"];

const PER_SECOND: Option<&str> = Some("per_second");
const SECONDS: Option<&str> = Some("seconds");

/// What is asked for.
pub(super) struct Query {
    pub(super) names: Vec<String>,
    /// Method and route; all of them without.
    pub(super) endpoint: Option<(String, String)>,
}

#[derive(Debug, Default, Serialize)]
pub(super) struct Answer {
    step_seconds: u64,
    from_ms: u64,
    to_ms: u64,
    points: usize,
    pub(super) series: Vec<Line>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) heatmap: Option<HeatMap>,
    unknown: Vec<String>,
}

/// One line of a chart.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) unit: Option<&'static str>,
    pub(super) values: Vec<Option<f32>>,
}

#[derive(Debug, Serialize)]
pub(super) struct HeatMap {
    bounds_seconds: Vec<f64>,
    /// By step, then by bucket.
    pub(super) counts: Vec<Option<Vec<u32>>>,
}

/// Reads the columns of a range.
pub(super) fn read(history: &History, query: &Query, range: Range) -> Answer {
    let mut answer = Answer {
        step_seconds: range.step_seconds(),
        from_ms: range.start_ms(),
        to_ms: range.end_ms(),
        points: range.points(),
        ..Answer::default()
    };
    let counts = match &query.endpoint {
        None => Some(&history.traffic.total),
        Some((method, route)) => history.traffic.find(method, route),
    };
    let reader = Reader { history, counts, range };
    for name in &query.names {
        match name.as_str() {
            "requests" => answer.series.extend(reader.requests()),
            "errors" => answer
                .series
                .push(reader.line(name, "5xx", PER_SECOND, |row, seconds| Some(row[CLASSES - 1] as f64 / seconds))),
            "error_ratio" => answer.series.push(reader.line(name, "5xx", Some("ratio"), |row, _| {
                let all: u64 = row[..CLASSES].iter().sum();
                (all > 0).then(|| row[CLASSES - 1] as f64 / all as f64)
            })),
            "latency" => answer.series.extend(reader.latency()),
            "heatmap" => answer.heatmap = Some(reader.heat_map()),
            "in_flight" => {
                answer.series.push(reader.alias(name, "in flight", Some("requests"), "http_requests_in_flight"))
            }
            "cpu" => answer.series.push(reader.alias(name, "cpu", Some("ratio"), CPU)),
            "memory" => answer.series.push(reader.alias(name, "resident", Some("bytes"), MEMORY)),
            _ => match reader.metric(name) {
                Some(lines) => answer.series.extend(lines),
                None => answer.unknown.push(name.clone()),
            },
        }
    }
    answer
}

struct Reader<'a> {
    history: &'a History,
    /// `None` for a method and route that had no request.
    counts: Option<&'a Counts>,
    range: Range,
}

impl Reader<'_> {
    /// The slot of each step, and how many of its seconds are recorded.
    fn slots(&self) -> impl Iterator<Item = Option<(usize, u32)>> {
        (self.range.first..self.range.end).map(|step| self.history.timeline.find(self.range.length, step))
    }

    /// A line made of the counts of each step, and the seconds that they are of.
    fn line(
        &self,
        name: &str,
        label: &str,
        unit: Option<&'static str>,
        value: impl Fn(&[u64], f64) -> Option<f64>,
    ) -> Line {
        let values = self.slots().map(|slot| {
            let (at, seconds) = slot?;
            value(&self.row(at)?, f64::from(seconds)).map(rounded_for_chart)
        });
        Line { name: name.into(), label: label.into(), unit, values: values.collect() }
    }

    fn row(&self, at: usize) -> Option<Vec<u64>> {
        Some(self.counts?.row(self.range.length, at).iter().map(|count| u64::from(*count)).collect())
    }

    fn requests(&self) -> Vec<Line> {
        let class = |(class, label): (usize, &&str)| {
            self.line("requests", label, PER_SECOND, move |row, seconds| Some(row[class] as f64 / seconds))
        };
        CLASS_LABELS.iter().enumerate().map(class).collect()
    }

    fn latency(&self) -> Vec<Line> {
        let bounds = (*self.history.bounds).as_ref();
        let line = |(label, q): (&str, f64)| {
            self.line("latency", label, SECONDS, move |row, _| quantile(q, bounds, &row[CLASSES..]))
        };
        QUANTILES.into_iter().map(line).collect()
    }

    fn heat_map(&self) -> HeatMap {
        let counts = self.slots().map(|slot| {
            let row = self.counts?.row(self.range.length, slot?.0);
            Some(row[CLASSES..].to_vec())
        });
        HeatMap { bounds_seconds: (*self.history.bounds).as_ref().to_vec(), counts: counts.collect() }
    }

    /// A metric without labels under a name of the pane's own.
    fn alias(&self, name: &str, label: &str, unit: Option<&'static str>, metric: &str) -> Line {
        let values = match self.metric(metric).and_then(|lines| lines.into_iter().next()) {
            Some(line) => line.values,
            None => vec![None; self.range.points()],
        };
        Line { name: name.into(), label: label.into(), unit, values }
    }

    fn metric(&self, name: &str) -> Option<Vec<Line>> {
        let metric = self.history.metrics.get(name)?;
        let line = |labelled: &super::metric::Labelled| Line {
            name: name.into(),
            label: labelled.label.to_string(),
            unit: labelled.unit.or(metric.unit),
            values: self.slots().map(|slot| labelled.column.get(self.range.length, slot?.0)).collect(),
        };
        Some(metric.columns.iter().map(line).collect())
    }
}

#[cfg(test)]
mod tests {
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
            buckets: vec![classes.iter().sum(), 0],
        };
        Snapshot {
            endpoints: vec![endpoint("/", [ok, 0, 0, errors]), endpoint("/metrics", [1000, 0, 0, 0])],
            families: vec![orders],
        }
    }

    fn history() -> History {
        let mut history = History::new(Arc::new([1.0]), HashSet::from(["/metrics".to_owned()]));
        history.record(&snapshot(10, 0, 2.0), START);
        history.record(&snapshot(30, 20, 2.0), START + 1);
        history.record(&snapshot(60, 20, 8.0), START + 4);
        history
    }

    fn read_names(history: &History, names: &[&str], range: Range) -> Answer {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        read(history, &Query { names, endpoint: None }, range)
    }

    fn values(answer: &Answer, name: &str, label: &str) -> Vec<Option<f32>> {
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
        let some = |values: [f32; 5]| [None].into_iter().chain(values.map(Some)).collect::<Vec<_>>();
        assert_eq!(values(&answer, "requests", "2xx"), some([10.0, 20.0, 10.0, 10.0, 10.0]), "a gap is spread");
        assert_eq!(values(&answer, "requests", "5xx"), some([0.0, 20.0, 0.0, 0.0, 0.0]));
        assert_eq!(values(&answer, "error_ratio", "5xx"), some([0.0, 0.5, 0.0, 0.0, 0.0]));
        assert_eq!(values(&answer, "latency", "p50"), some([0.5; 5]));
        assert_eq!(values(&answer, "orders_total", ""), [None, Some(2.0), Some(0.0), None, None, Some(2.0)]);
        assert_eq!(answer.heatmap.unwrap().counts[2], Some(vec![40, 0]));
        assert_eq!(answer.unknown, ["nothing"]);
    }

    #[test]
    fn a_route_of_its_own_and_one_that_had_no_request() {
        let history = history();
        let range = history.timeline.newest(0, 2);
        let query =
            |route: &str| Query { names: vec!["requests".into()], endpoint: Some(("GET".into(), route.into())) };
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
}
