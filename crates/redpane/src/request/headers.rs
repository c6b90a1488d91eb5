//! The request headers that an observation reads, found in one pass over all of them.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::trace_context::ids::{SpanId, TraceId};

pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
pub(crate) const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
pub(crate) const BAGGAGE: HeaderName = HeaderName::from_static("baggage");
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
pub(crate) const X_TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");

/// References into the headers of a request.
pub(crate) struct SentHeaders<'a> {
    /// Means something only if it was sent exactly once: two different parents would say nothing.
    traceparent: Sent<'a>,
    pub(crate) request_id: Option<&'a HeaderValue>,
    pub(crate) user_agent: Option<&'a HeaderValue>,
    tracestate: Sent<'a>,
    baggage: Sent<'a>,
    content_type: Option<&'a HeaderValue>,
    all: &'a HeaderMap,
}

/// The value of `traceparent` for the next service, whose parent is `span_id`.
pub(crate) fn traceparent(trace_id: &TraceId, span_id: &SpanId, flags: u8) -> HeaderValue {
    let value = format!("00-{trace_id}-{span_id}-{flags:02x}");
    value.try_into().expect("hexadecimal digits and dashes are a header value")
}

/// Whether this `Content-Type` is one of gRPC: the bare one, or one with a format (`+proto`) or parameters. gRPC-Web is
/// another protocol (`application/grpc-web`): it has its code in the body.
pub(crate) fn is_grpc(content_type: &HeaderValue) -> bool {
    let rest = content_type.as_bytes().strip_prefix(b"application/grpc");
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';' | b' ')))
}

/// How often a header was sent.
#[derive(Clone, Copy)]
enum Sent<'a> {
    Never,
    Once(&'a HeaderValue),
    Repeatedly,
}

impl<'a> Sent<'a> {
    fn add(&mut self, value: &'a HeaderValue) {
        *self = if matches!(self, Self::Never) { Self::Once(value) } else { Self::Repeatedly };
    }
}

impl<'a> SentHeaders<'a> {
    /// Look-ups by name would hash each name; requests carry few headers, so one walk is cheaper.
    pub(crate) fn find(headers: &'a HeaderMap) -> Self {
        let mut sent = Self {
            traceparent: Sent::Never,
            request_id: None,
            user_agent: None,
            tracestate: Sent::Never,
            baggage: Sent::Never,
            content_type: None,
            all: headers,
        };
        for (name, value) in headers {
            if *name == header::USER_AGENT {
                sent.user_agent.get_or_insert(value);
                continue;
            }
            match name.as_str() {
                "traceparent" => sent.traceparent.add(value),
                "tracestate" => sent.tracestate.add(value),
                "baggage" => sent.baggage.add(value),
                "x-request-id" => _ = sent.request_id.get_or_insert(value),
                "content-type" => _ = sent.content_type.get_or_insert(value),
                _ => {}
            }
        }
        sent
    }

    /// The value of `traceparent`, where it was sent exactly once.
    pub(crate) fn traceparent(&self) -> Option<&'a HeaderValue> {
        if let Sent::Once(value) = self.traceparent { Some(value) } else { None }
    }

    /// Whether there may be something to pass on beside `traceparent`.
    pub(crate) fn has_lists(&self) -> bool {
        !matches!((self.tracestate, self.baggage), (Sent::Never, Sent::Never))
    }

    pub(crate) fn tracestate(&self) -> Option<HeaderValue> {
        self.list(self.tracestate, &TRACESTATE)
    }

    pub(crate) fn baggage(&self) -> Option<HeaderValue> {
        self.list(self.baggage, &BAGGAGE)
    }

    /// Whether this is a gRPC request.
    pub(crate) fn is_grpc(&self) -> bool {
        self.content_type.is_some_and(is_grpc)
    }

    /// A list may come in several headers, which are one in their order (RFC 9110, section 5.2).
    fn list(&self, sent: Sent<'a>, name: &HeaderName) -> Option<HeaderValue> {
        match sent {
            Sent::Never => None,
            // Shared with the request, not copied.
            Sent::Once(value) => Some(value.clone()),
            Sent::Repeatedly => {
                let values: Vec<&[u8]> = self.all.get_all(name).iter().map(HeaderValue::as_bytes).collect();
                HeaderValue::from_bytes(&values.join(&b',')).ok()
            }
        }
    }
}
