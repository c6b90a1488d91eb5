//! How the lines of a chart are read from the history.

use serde::Serialize;

use super::super::counts::{BUCKETS, CLASSES, Counts, by_class, error_ratio, errors};
use super::super::history::History;
use super::super::metric::Labelled;
use super::super::quantile::{QUANTILES, quantile, rounded};
use super::super::timeline::Range;

/// The labels of the classes of statuses.
const CLASS_LABELS: [&str; CLASSES] = ["2xx", "3xx", "4xx", "5xx"];
/// That of errors.
const ERRORS: &str = CLASS_LABELS[CLASSES - 1];
const PER_SECOND: Option<&str> = Some("per_second");
const SECONDS: Option<&str> = Some("seconds");

/// In front of a metric's name, which may be the same as one of the pane's own.
const METRIC: &str = "metric:";

/// One line of a chart.
#[derive(Debug, Serialize)]
pub(in crate::pane) struct Line {
    pub(in crate::pane) name: String,
    pub(in crate::pane) label: String,
    pub(in crate::pane) unit: Option<&'static str>,
    pub(in crate::pane) values: Vec<Option<f64>>,
    /// The newest value of a gauge that cannot be drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::pane) not_finite: Option<&'static str>,
}

#[derive(Debug, Serialize)]
pub(in crate::pane) struct HeatMap {
    bounds_seconds: Vec<f64>,
    /// By step, then by bucket.
    pub(in crate::pane) counts: Vec<Option<Vec<u32>>>,
}

/// Reads one range.
pub(super) struct Reader<'a> {
    pub(super) history: &'a History,
    /// `None` for a method and route that had no request.
    pub(super) counts: Option<&'a Counts>,
    pub(super) range: Range,
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

    pub(super) fn requests(&self) -> Vec<Line> {
        let class = |(class, label): (usize, &&str)| {
            self.line("requests", label, PER_SECOND, move |row, seconds| Some(by_class(row)[class] as f64 / seconds))
        };
        CLASS_LABELS.iter().enumerate().map(class).collect()
    }

    pub(super) fn errors(&self) -> Line {
        self.line("errors", ERRORS, PER_SECOND, |row, seconds| Some(errors(row) as f64 / seconds))
    }

    pub(super) fn error_ratio(&self) -> Line {
        self.line("error_ratio", ERRORS, Some("ratio"), |row, _| error_ratio(row))
    }

    pub(super) fn latency(&self) -> Vec<Line> {
        let bounds = (*self.history.bounds).as_ref();
        let line = |(label, q): (&str, f64)| {
            self.line("latency", label, SECONDS, move |row, _| quantile(q, bounds, &row[BUCKETS..]))
        };
        QUANTILES.into_iter().map(line).collect()
    }

    pub(super) fn heat_map(&self) -> HeatMap {
        let counts = self.slots().map(|slot| {
            let row = self.counts?.row(self.range.length, slot?.0);
            Some(row[BUCKETS..].to_vec())
        });
        HeatMap { bounds_seconds: (*self.history.bounds).as_ref().to_vec(), counts: counts.collect() }
    }

    /// A metric without labels under a name of the pane's own; the first of several that there is.
    pub(super) fn alias(&self, name: &str, label: &str, unit: Option<&'static str>, metrics: &[&str]) -> Line {
        let mut found = metrics.iter().filter_map(|metric| self.metric(metric)?.into_iter().next());
        let values = match found.next() {
            Some(line) => line.values,
            None => vec![None; self.range.points()],
        };
        Line { name: name.into(), label: label.into(), unit, values, not_finite: None }
    }

    /// A metric by its name, which stands behind `metric:` where it may be one of the pane's own.
    pub(super) fn metric(&self, name: &str) -> Option<Vec<Line>> {
        let metric = self.history.metrics.get(name.strip_prefix(METRIC).unwrap_or(name))?;
        let line = |labelled: &Labelled| Line {
            name: name.into(),
            label: labelled.label.to_string(),
            unit: labelled.unit.or(metric.unit),
            values: self.slots().map(|slot| labelled.column.get(self.range.length, slot?.0)).collect(),
            not_finite: labelled.not_finite,
        };
        Some(metric.columns.iter().map(line).collect())
    }
}
