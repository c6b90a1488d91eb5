//! A span as the pane shows it.

use serde::Serialize;
use serde_json::{Map, Value};

/// A span of a trace, exported or made from an access line.
#[derive(Clone, Debug, Serialize, PartialEq)]
pub(crate) struct Span {
    pub(crate) span_id: String,
    pub(crate) parent_span_id: Option<String>,
    pub(crate) name: String,
    /// `server`, `client` or `internal`.
    pub(crate) kind: &'static str,
    /// Since 1970, with microseconds as the fraction.
    pub(crate) start_ms: f64,
    pub(crate) duration_seconds: f64,
    pub(crate) error: bool,
    pub(crate) status_message: Option<String>,
    pub(crate) attributes: Map<String, Value>,
    /// `span` or `access_line`.
    pub(crate) source: &'static str,
}
