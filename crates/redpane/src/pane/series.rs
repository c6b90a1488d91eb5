//! The answer of `api/series`: history in columns.

use serde::Serialize;

use super::answer::{Answer, json};
use super::counts::{BUCKETS, CLASSES, Counts, by_class, error_ratio, errors};
use super::history::History;
use super::lines_query;
use super::parameters::Parameters;
use super::problem::Problem;
use super::process::{CPU, MEMORY};
use super::quantile::{QUANTILES, quantile, rounded};
use super::state::Pane;
use super::timeline::Range;

/// The labels of the classes of statuses.
const CLASS_LABELS: [&str; CLASSES] = ["2xx", "3xx", "4xx", "5xx"];
/// What is being served, under whichever names there are.
pub(super) const IN_FLIGHT: [&str; 2] = ["http_requests_in_flight", "http_server_active_requests"];
/// What a live feed sends where nothing is named.
pub(super) const DEFAULT: [&str; 7] = ["requests", "errors", "latency", "heatmap", "in_flight", "cpu", "memory"];

const PER_SECOND: Option<&str> = Some("per_second");
const SECONDS: Option<&str> = Some("seconds");

/// In front of a metric's name, which may be the same as one of the pane's own.
const METRIC: &str = "metric:";

/// The most names.
pub(super) const NAMES: usize = 16;

/// What is asked for.
pub(super) struct Query {
    pub(super) names: Vec<String>,
    /// Method and route; all of them without.
    pub(super) endpoint: Option<(String, String)>,
}

/// What is read.
#[derive(Debug, Default, Serialize)]
pub(super) struct Columns {
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
    pub(super) values: Vec<Option<f64>>,
    /// The newest value of a gauge that cannot be drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) not_finite: Option<&'static str>,
}

#[derive(Debug, Serialize)]
pub(super) struct HeatMap {
    bounds_seconds: Vec<f64>,
    /// By step, then by bucket.
    pub(super) counts: Vec<Option<Vec<u32>>>,
}

/// The whole answer.
pub(super) fn answer(pane: &Pane, query: Option<&str>) -> Answer {
    let mut parameters = Parameters::of(query);
    let names = parameters.many("name", NAMES)?;
    let length = |text: &str| ["15m", "3h", "24h"].iter().position(|range| *range == text);
    let length = parameters.read("range", "15m, 3h or 24h", length)?;
    let endpoint = lines_query::endpoint(&mut parameters)?;
    let history = pane.history();
    let between = parameters.range(&history.timeline)?;
    parameters.finish()?;
    if names.is_empty() {
        return Err(Problem::bad_request(
            "name is needed: one of requests, errors, error_ratio, latency, heatmap, in_flight, cpu, memory, or a metric's",
        ));
    }
    let range = match (between, length) {
        (Some(_), Some(_)) => return Err(Problem::bad_request("range stands for from and to: give one of both")),
        (Some(range), None) => range,
        (None, length) => history.timeline.newest(length.unwrap_or(0), u64::MAX),
    };
    json(&read(&history, &Query { names, endpoint }, range))
}

/// Reads the columns of a range.
pub(super) fn read(history: &History, query: &Query, range: Range) -> Columns {
    let mut answer = Columns {
        step_seconds: range.step_seconds(),
        from_ms: range.start_ms(),
        to_ms: range.end_ms(),
        points: range.points(),
        ..Columns::default()
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
                .push(reader.line(name, "5xx", PER_SECOND, |row, seconds| Some(errors(row) as f64 / seconds))),
            "error_ratio" => {
                answer.series.push(reader.line(name, "5xx", Some("ratio"), |row, _| error_ratio(row)));
            }
            "latency" => answer.series.extend(reader.latency()),
            "heatmap" => answer.heatmap = Some(reader.heat_map()),
            "in_flight" => {
                answer.series.push(reader.alias(name, "in flight", Some("requests"), &IN_FLIGHT));
            }
            "cpu" => answer.series.push(reader.alias(name, "cpu", Some("ratio"), &[CPU])),
            "memory" => answer.series.push(reader.alias(name, "resident", Some("bytes"), &[MEMORY])),
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
            value(&self.row(at)?, f64::from(seconds)).map(rounded)
        });
        Line { name: name.into(), label: label.into(), unit, values: values.collect(), not_finite: None }
    }

    fn row(&self, at: usize) -> Option<Vec<u64>> {
        Some(self.counts?.row(self.range.length, at).iter().map(|count| u64::from(*count)).collect())
    }

    fn requests(&self) -> Vec<Line> {
        let class = |(class, label): (usize, &&str)| {
            self.line("requests", label, PER_SECOND, move |row, seconds| Some(by_class(row)[class] as f64 / seconds))
        };
        CLASS_LABELS.iter().enumerate().map(class).collect()
    }

    fn latency(&self) -> Vec<Line> {
        let bounds = (*self.history.bounds).as_ref();
        let line = |(label, q): (&str, f64)| {
            self.line("latency", label, SECONDS, move |row, _| quantile(q, bounds, &row[BUCKETS..]))
        };
        QUANTILES.into_iter().map(line).collect()
    }

    fn heat_map(&self) -> HeatMap {
        let counts = self.slots().map(|slot| {
            let row = self.counts?.row(self.range.length, slot?.0);
            Some(row[BUCKETS..].to_vec())
        });
        HeatMap { bounds_seconds: (*self.history.bounds).as_ref().to_vec(), counts: counts.collect() }
    }

    /// A metric without labels under a name of the pane's own; the first of several that there is.
    fn alias(&self, name: &str, label: &str, unit: Option<&'static str>, metrics: &[&str]) -> Line {
        let mut found = metrics.iter().filter_map(|metric| self.metric(metric)?.into_iter().next());
        let values = match found.next() {
            Some(line) => line.values,
            None => vec![None; self.range.points()],
        };
        Line { name: name.into(), label: label.into(), unit, values, not_finite: None }
    }

    /// A metric by its name, which stands behind `metric:` where it may be one of the pane's own.
    fn metric(&self, name: &str) -> Option<Vec<Line>> {
        let metric = self.history.metrics.get(name.strip_prefix(METRIC).unwrap_or(name))?;
        let line = |labelled: &super::metric::Labelled| Line {
            name: name.into(),
            label: labelled.label.to_string(),
            unit: labelled.unit.or(metric.unit),
            values: self.slots().map(|slot| labelled.column.get(self.range.length, slot?.0)).collect(),
            not_finite: labelled.not_finite,
        };
        Some(metric.columns.iter().map(line).collect())
    }
}

#[cfg(test)]
mod tests;
