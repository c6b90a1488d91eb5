//! What calls to other services carry of a request.

use http::{HeaderMap, HeaderValue};

use super::call::CallIds;
use super::context::RequestContext;
use super::headers::{BAGGAGE, TRACEPARENT, TRACESTATE, X_REQUEST_ID, traceparent};
use crate::trace_context::ids::{SpanId, TraceId};

impl RequestContext {
    /// The headers for a call to the next service: `traceparent` with this request's span as the parent, `tracestate` and
    /// `baggage` as they came, and `x-request-id`. For clients that are no `tower` services; others get more from
    /// [`OutgoingLayer`](crate::client::OutgoingLayer). With [`Redpane::ids_from`](crate::Redpane::ids_from) the parent is
    /// the SDK's span that is current where this is called.
    pub fn outgoing_headers(&self) -> HeaderMap {
        let now = self.sdk_call();
        let mut headers = HeaderMap::with_capacity(4);
        let parent = match &now {
            Some(now) => now.to_header(),
            None => {
                let (trace_id, span_id) = self.ids();
                traceparent(trace_id, span_id, self.flags())
            }
        };
        headers.insert(TRACEPARENT, parent);
        self.pass_on(now.as_ref().map_or(self.ids().0, |now| &now.trace_id), &mut headers);
        headers
    }

    /// Adds what a call of this request carries beside `traceparent`. The state of a trace belongs to its `traceparent`, here
    /// of the trace `of`, and replaces another one; baggage and a request id that are there already stay.
    pub(crate) fn pass_on(&self, of: &TraceId, headers: &mut HeaderMap) {
        match self.tracestate().filter(|_| self.ids().0 == of) {
            Some(value) => _ = headers.insert(TRACESTATE, value.clone()),
            None => _ = headers.remove(TRACESTATE),
        }
        if let Some(value) = self.baggage() {
            headers.entry(BAGGAGE).or_insert_with(|| value.clone());
        }
        // A copy: the request's own value is what tells this request from others, also from one that it makes.
        if headers.get(X_REQUEST_ID).is_none_or(|id| self.has_made(id)) {
            let copy = HeaderValue::from_str(self.request_id());
            headers.insert(X_REQUEST_ID, copy.expect("visible ASCII is a header value"));
        }
    }

    /// The ids of a call that this request makes: fresh ones, or those of the SDK's span that is current, which redpane adds
    /// none to.
    pub(crate) fn call_ids(&self) -> CallIds {
        if let Some(span) = self.sdk_call() {
            return span;
        }
        let (trace_id, span_id) = self.ids();
        #[cfg(feature = "otlp")]
        let parent = super::entered_spans::innermost(self).unwrap_or(*span_id);
        #[cfg(not(feature = "otlp"))]
        let parent = *span_id;
        CallIds { trace_id: *trace_id, span_id: SpanId::random(), parent_span_id: Some(parent), flags: self.flags() }
    }

    /// The SDK's span that calls are made in: the current one, else the first of the request. `None` where the ids are
    /// redpane's own.
    fn sdk_call(&self) -> Option<CallIds> {
        let ids = self.sdk_ids()?;
        ids.now().or_else(|| ids.first().copied()).as_ref().map(CallIds::of)
    }
}
