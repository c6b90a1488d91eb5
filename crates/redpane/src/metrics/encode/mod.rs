//! Writing a snapshot: text 0.0.4 or OpenMetrics 1.0.
//!
//! Both formats share their grammar ([`samples`]) and differ in the names of counters, in numbers of `le`, in help texts,
//! exemplars and units ([`text`], [`openmetrics`]).

mod openmetrics;
mod samples;
mod text;

use super::snapshot::Family;

/// The format of a scrape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExpositionFormat {
    /// Prometheus' text format, version 0.0.4.
    Text,
    /// OpenMetrics 1.0, with exemplars.
    OpenMetrics,
}

impl ExpositionFormat {
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// Writes all families, in their order. `capacity` is what the text is expected to need, in bytes.
pub(crate) fn encode(families: &[Family], format: ExpositionFormat, capacity: usize) -> String {
    let mut out = String::with_capacity(capacity);
    match format {
        ExpositionFormat::Text => text::write(&mut out, families),
        ExpositionFormat::OpenMetrics => openmetrics::write(&mut out, families),
    }
    out
}
