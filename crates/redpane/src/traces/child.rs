//! What an INTERNAL span is made of.

use std::time::Duration;

use super::encode::{bytes, cut, fixed32, fixed64, varint};
use super::span::{KNOWN_PARENT, MAX_ROUTE, id, trace_state};
use super::tag;
use crate::request::context::RequestContext;
use crate::trace_context::ids::SpanId;

const INTERNAL: u64 = 1;

/// A span inside of a request.
pub(super) struct Child<'a> {
    pub(super) span_id: &'a SpanId,
    pub(super) parent: &'a SpanId,
    pub(super) name: &'a str,
    /// Since 1970.
    pub(super) started: Duration,
    pub(super) nanoseconds: u64,
    /// Encoded as fields of a span.
    pub(super) attributes: &'a [u8],
    pub(super) attributes_dropped: u64,
}

/// Appends an INTERNAL span of a request, without the key and length that make it a field.
pub(super) fn encode_internal(out: &mut Vec<u8>, context: &RequestContext, child: &Child<'_>) {
    id(out, tag::TRACE_ID, context.trace_id().as_bytes());
    id(out, tag::SPAN_ID, child.span_id.as_bytes());
    id(out, tag::PARENT_SPAN_ID, child.parent.as_bytes());
    fixed32(out, tag::FLAGS, KNOWN_PARENT | u32::from(context.flags()));
    trace_state(out, context);
    bytes(out, tag::NAME, cut(child.name, MAX_ROUTE).as_bytes());
    varint(out, tag::KIND, INTERNAL);
    let started = u64::try_from(child.started.as_nanos()).unwrap_or(u64::MAX);
    fixed64(out, tag::START, started);
    fixed64(out, tag::END, started.saturating_add(child.nanoseconds));
    out.extend_from_slice(child.attributes);
    if child.attributes_dropped > 0 {
        varint(out, tag::DROPPED_ATTRIBUTES, child.attributes_dropped);
    }
}
