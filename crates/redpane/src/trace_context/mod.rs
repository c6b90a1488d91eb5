//! W3C Trace Context: the ids of a request, read from `traceparent` and written for the next service.
//!
//! Standard: <https://www.w3.org/TR/trace-context/>. A header that breaks any of its rules is ignored as a whole: the
//! request then starts a trace of its own and is never refused for it.

pub(crate) mod hex;
pub(crate) mod ids;
pub(crate) mod share;
pub(crate) mod traceparent;
pub(crate) mod tracestate;
