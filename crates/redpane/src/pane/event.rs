//! The events of a live feed as they are sent.

use serde::Serialize;

use super::series::{Columns, Line};

/// What a second adds to the charts.
#[derive(Serialize)]
pub(super) struct Points<'a> {
    at_ms: u64,
    series: Vec<Point<'a>>,
    heatmap: Option<&'a [u32]>,
    metrics_count: usize,
}

#[derive(Serialize)]
struct Point<'a> {
    name: &'a str,
    label: &'a str,
    unit: Option<&'static str>,
    value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_finite: Option<&'static str>,
}

impl<'a> Points<'a> {
    /// `columns` are those of one second.
    pub(super) fn of(columns: &'a Columns, second: u64, metrics_count: usize) -> Self {
        let value = |line: &Line| line.values.first().copied().flatten();
        let point = |line: &'a Line| Point {
            name: &line.name,
            label: &line.label,
            unit: line.unit,
            value: value(line),
            not_finite: line.not_finite,
        };
        Self {
            at_ms: second * 1000,
            series: columns.series.iter().map(point).collect(),
            heatmap: columns.heatmap.as_ref().and_then(|map| map.counts.last()?.as_deref()),
            metrics_count,
        }
    }
}

/// An event. JSON has no line breaks in it.
pub(super) fn event(name: &str, data: &[u8]) -> Vec<u8> {
    [b"event: ", name.as_bytes(), b"\ndata: ", data, b"\n\n"].concat()
}
