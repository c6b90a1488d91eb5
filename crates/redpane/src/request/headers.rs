//! The request headers that an observation reads, found in one pass over all of them.

use http::{HeaderMap, HeaderValue, header};

use crate::context::TRACESTATE;

/// References into the headers of a request.
pub(crate) struct SentHeaders<'a> {
    pub(crate) traceparent: Single<'a>,
    pub(crate) request_id: Option<&'a HeaderValue>,
    pub(crate) user_agent: Option<&'a HeaderValue>,
    tracestate: Single<'a>,
    all: &'a HeaderMap,
}

/// A header that means something only if it was sent exactly once.
#[derive(Clone, Copy)]
pub(crate) enum Single<'a> {
    Absent,
    Once(&'a HeaderValue),
    Repeated,
}

impl<'a> Single<'a> {
    fn add(&mut self, value: &'a HeaderValue) {
        *self = if matches!(self, Self::Absent) { Self::Once(value) } else { Self::Repeated };
    }

    /// Two different values would say nothing.
    pub(crate) fn only(self) -> Option<&'a HeaderValue> {
        if let Self::Once(value) = self { Some(value) } else { None }
    }
}

impl<'a> SentHeaders<'a> {
    /// Four look-ups by name would hash four names; requests carry few headers, so one walk is cheaper.
    pub(crate) fn find(headers: &'a HeaderMap) -> Self {
        let absent = Single::Absent;
        let mut sent =
            Self { traceparent: absent, request_id: None, user_agent: None, tracestate: absent, all: headers };
        for (name, value) in headers {
            if *name == header::USER_AGENT {
                sent.user_agent.get_or_insert(value);
                continue;
            }
            match name.as_str() {
                "traceparent" => sent.traceparent.add(value),
                "tracestate" => sent.tracestate.add(value),
                "x-request-id" => _ = sent.request_id.get_or_insert(value),
                _ => {}
            }
        }
        sent
    }

    /// `tracestate` may come in several headers, which are one list in their order.
    pub(crate) fn tracestate(&self) -> Option<HeaderValue> {
        match self.tracestate {
            Single::Absent => None,
            // Shared with the request, not copied.
            Single::Once(value) => Some(value.clone()),
            Single::Repeated => {
                let values: Vec<&[u8]> = self.all.get_all(TRACESTATE).iter().map(HeaderValue::as_bytes).collect();
                HeaderValue::from_bytes(&values.join(&b',')).ok()
            }
        }
    }
}
