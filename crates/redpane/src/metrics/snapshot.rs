//! All metrics at one moment, between counting and writing: every format is written from the same reading.

use std::borrow::Cow;
use std::sync::Arc;

use super::exemplars::Exemplar;
use super::histogram::{Bounds, Reading};

/// What kind of metric a family is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// All series of one name.
#[derive(Debug)]
pub(crate) struct Family {
    /// As the text format has it: counters with their `_total`.
    pub(crate) name: Cow<'static, str>,
    pub(crate) kind: Kind,
    /// Without escapes; empty where nobody described it.
    pub(crate) help: Cow<'static, str>,
    /// The word that OpenMetrics has for the unit; `None` where the name does not end in it.
    pub(crate) unit: Option<&'static str>,
    pub(crate) series: Vec<SeriesSnapshot>,
}

/// One series.
#[derive(Debug)]
pub(crate) struct SeriesSnapshot {
    /// `name="value",…`, escaped; empty without labels.
    pub(crate) labels: Arc<str>,
    pub(crate) value: Value,
}

/// What a series had.
#[derive(Debug)]
pub(crate) enum Value {
    Integer(u64),
    /// A number as the exporter wrote it.
    Text(Box<str>),
    Histogram(HistogramSnapshot),
}

/// What a histogram had.
#[derive(Debug)]
pub(crate) struct HistogramSnapshot {
    pub(crate) bounds: Arc<Bounds>,
    pub(crate) reading: Reading,
    /// By bucket; empty where there are none.
    pub(crate) exemplars: Vec<Option<Exemplar>>,
}
