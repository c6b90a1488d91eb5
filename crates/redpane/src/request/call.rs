//! A call to another service: its ids, and the one value that describes it at its end.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::HeaderValue;

use super::headers::traceparent;
use crate::trace_context::ids::{SpanId, TraceId};
use crate::trace_context::traceparent::TraceParent;

/// The client gave an error instead of an answer.
pub(crate) const ERROR: &str = "error";
/// The body of the answer failed after its headers.
pub(crate) const BODY_ERROR: &str = "body_error";
/// The caller gave up before the headers of the answer came.
pub(crate) const CANCELLED: &str = "cancelled";

/// The ids of a call. Its span is that of the client side, or one of the application's around it, and the parent of the next
/// service's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallIds {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    /// `None` where the span is the application's: that knows.
    pub(crate) parent_span_id: Option<SpanId>,
    pub(crate) flags: u8,
}

impl CallIds {
    /// A call that a span of the application stands for.
    pub(crate) fn of(span: &TraceParent) -> Self {
        Self { trace_id: span.trace_id, span_id: span.parent_id, parent_span_id: None, flags: span.known_flags() }
    }

    /// The header for the next service.
    pub(crate) fn to_header(self) -> HeaderValue {
        traceparent(&self.trace_id, &self.span_id, self.flags)
    }
}

/// How a call ended: with a status, or with what kept it from having a whole answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CallEnd {
    /// The status of the answer.
    Status(u16),
    /// The label `error`.
    Error(&'static str),
}

/// A call that is over. All outputs are made from it.
#[derive(Debug)]
pub(crate) struct FinishedCall<'a> {
    /// The label `method`: a standard method or `_OTHER`.
    pub(crate) method: &'static str,
    /// The label `peer`.
    pub(crate) peer: &'a Arc<str>,
    pub(crate) end: CallEnd,
    #[cfg_attr(not(feature = "otlp"), expect(dead_code, reason = "only spans are shown on a time axis"))]
    pub(crate) started: SystemTime,
    /// Until the end of the answer's body, or to its headers where nothing else is observed.
    pub(crate) duration: Duration,
    /// `None` for a call that belongs to no trace.
    pub(crate) ids: Option<&'a CallIds>,
}
