//! The answer of `api/series`: history in columns, as a [`reader`] finds them.

mod reader;

use serde::Serialize;

pub(super) use self::reader::Line;
use self::reader::{HeatMap, Reader};
use super::answer::{Answer, json};
use super::history::History;
use super::lines_query;
use super::parameters::Parameters;
use super::problem::Problem;
use super::process::{CPU, MEMORY};
use super::state::Pane;
use super::timeline::Range;

/// What is being served, under whichever names there are.
pub(super) const IN_FLIGHT: [&str; 2] = ["http_requests_in_flight", "http_server_active_requests"];
/// What a live feed sends where nothing is named.
pub(super) const DEFAULT: [&str; 7] = ["requests", "errors", "latency", "heatmap", "in_flight", "cpu", "memory"];

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
            "errors" => answer.series.push(reader.errors()),
            "error_ratio" => answer.series.push(reader.error_ratio()),
            "latency" => answer.series.extend(reader.latency()),
            "heatmap" => answer.heatmap = Some(reader.heat_map()),
            "in_flight" => answer.series.push(reader.alias(name, "in flight", Some("requests"), &IN_FLIGHT)),
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

#[cfg(test)]
mod tests;
