//! Writing log lines: one JSON object a line, encoded once and never written by the thread that serves a request.
//!
//! * [`json`] turns values into JSON text, whatever bytes they hold.
//! * [`line`](mod@line) is one line: the first keys in their fixed order, then fields, within a bound.
//! * [`layer`] makes lines of `tracing` events; the access line comes straight from the observation of a request.
//! * [`sink`] is the bounded buffer between them and the [`writer`] thread.

pub(crate) mod json;
pub(crate) mod layer;
pub(crate) mod line;
pub(crate) mod panics;
pub(crate) mod pretty;
pub(crate) mod sink;
pub(crate) mod span;
pub(crate) mod timestamp;
mod value;
mod writer;

pub(crate) use layer::LogLayer;
pub use sink::{FlushError, WhenFull};

/// How lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogFormat {
    /// One JSON object a line.
    #[default]
    Json,
    /// The same line for a person at a terminal: time, level, target, message, `key=value`. Slower; not for collectors.
    Pretty,
}
