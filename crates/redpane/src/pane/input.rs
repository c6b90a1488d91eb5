//! What the pane gets from outside: one snapshot of all metrics, and what it may ask of its telemetry.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::span::Span;

/// The upper bounds of a histogram's buckets, without the last one, which has none.
pub(crate) type Bounds = Arc<dyn AsRef<[f64]> + Send + Sync>;

/// What kind of metric a family is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// All series of one name.
pub(crate) struct Family {
    /// As `/metrics` shows it.
    pub(crate) name: Cow<'static, str>,
    pub(crate) kind: Kind,
    pub(crate) help: Cow<'static, str>,
    pub(crate) unit: Option<&'static str>,
    pub(crate) series: Vec<Series>,
}

/// One series of a family.
pub(crate) struct Series {
    /// `name="value",…`, escaped; empty without labels.
    pub(crate) labels: Arc<str>,
    pub(crate) value: Value,
}

impl Series {
    /// Its number; 0 of a histogram.
    pub(super) fn number(&self) -> f64 {
        match self.value {
            Value::Number(number) => number,
            Value::Histogram { .. } => 0.0,
        }
    }
}

/// What a series has: since the start of the process, where it counts.
pub(crate) enum Value {
    Number(f64),
    /// The last bucket has no bound.
    Histogram {
        bounds: Bounds,
        buckets: Vec<u64>,
    },
}

/// What is counted of the requests of a method and route.
#[derive(Clone)]
pub(crate) struct Endpoint {
    pub(crate) method: String,
    pub(crate) route: String,
    /// Requests by the class of their status: up to 299, 3xx, 4xx, from 500 on.
    pub(crate) classes: [u64; 4],
    /// gRPC calls whose code is the server's fault, under a status below 500. A stream is one that ends after its request.
    pub(crate) failed_calls: u64,
    /// By duration.
    pub(crate) buckets: Vec<u64>,
}

/// All metrics at one moment.
pub(crate) struct Snapshot {
    /// In the order in which they came, always the same.
    pub(crate) endpoints: Vec<Endpoint>,
    /// All families that were read, but those of the endpoints' requests and durations.
    pub(crate) families: Vec<Family>,
    /// Label sets among them that the application itself records.
    pub(crate) application: usize,
}

/// The log filter at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FilterState {
    pub(crate) directives: String,
    /// What was set when the telemetry was built.
    pub(crate) configured: String,
    /// Whether events of the application itself arrive: a subscriber has the log's layer.
    pub(crate) events: bool,
    /// When that comes back by itself: milliseconds since 1970.
    pub(crate) until_ms: Option<u64>,
}

/// The telemetry behind a pane.
pub(crate) trait Host: Send + Sync {
    /// Reads all metrics, those that the application itself records only where they are wanted: that takes milliseconds where
    /// there are thousands of label sets.
    fn snapshot(&self, application: bool) -> Snapshot;

    fn filter(&self) -> FilterState;

    /// Sets another log filter for this long.
    ///
    /// # Errors
    /// What is wrong with the directives or the time, and what would be right.
    fn set_filter(&self, directives: &str, time: Duration) -> Result<(), String>;

    /// Puts the configured log filter back.
    fn restore_filter(&self);

    /// Writes a warning of the pane's own.
    fn warn(&self, message: &str, detail: &str);

    /// The spans of a trace in a batch that was exported.
    fn decode_spans(&self, batch: &[u8], trace_id: &str) -> Vec<Span>;
}
