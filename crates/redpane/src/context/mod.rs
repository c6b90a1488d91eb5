//! The context of a request: its ids, and how they reach the code that runs for it.
//!
//! The middleware enters the context around every poll of the handler and of the response body, by moving a handle into
//! a thread-local slot and out again. Log lines and application metrics made meanwhile find it there. Tasks spawned with
//! [`spawn`](crate::spawn) and [`spawn_blocking`](crate::spawn_blocking) take it along.

mod current;

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};

pub use self::current::current;
pub(crate) use self::current::{enter, with_current};
use crate::metrics::endpoint::Endpoint;
use crate::problem::Problem;
use crate::request::head::RequestHead;
use crate::request::headers::SentHeaders;
use crate::request::id::RequestId;
use crate::request::mount::{Found, Mount};
use crate::request::size::RequestSize;
use crate::telemetry::Shared;
use crate::trace_context::{FRESH_FLAGS, SpanId, TraceId, TraceParent};

pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
pub(crate) const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
pub(crate) const X_TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");

/// The ids of the request that is being served. Cheap to clone; also an axum extractor.
///
/// ```
/// use axum::{Router, routing::get};
/// use redpane::{Redpane, RequestContext};
///
/// async fn root(context: RequestContext) -> String {
///     format!("trace {}", context.trace_id())
/// }
/// let app: Router = Redpane::new("api").instrument(Router::new().route("/", get(root)));
/// ```
#[derive(Clone)]
pub struct RequestContext(Arc<Inner>);

struct Inner {
    trace_id: TraceId,
    span_id: SpanId,
    parent_span_id: Option<SpanId>,
    flags: u8,
    tracestate: Option<HeaderValue>,
    request_id: RequestId,
    head: RequestHead,
    mount: Arc<Mount>,
    found: Found,
}

impl RequestContext {
    /// Takes over the trace context and the request id that the caller sent, or makes fresh ones. The body of the request
    /// is counted from here on.
    pub(crate) fn new(mount: &Arc<Mount>, request: &mut Request<Body>, arrived: Instant) -> Self {
        let size = RequestSize::of(request.body_mut());
        let sent = SentHeaders::find(request.headers());
        let parent = sent.traceparent.only().and_then(|header| TraceParent::parse(header.as_bytes()));
        Self(Arc::new(Inner {
            trace_id: parent.map_or_else(TraceId::random, |parent| parent.trace_id),
            span_id: SpanId::random(),
            parent_span_id: parent.map(|parent| parent.parent_id),
            flags: parent.map_or(FRESH_FLAGS, |parent| parent.known_flags()),
            tracestate: parent.and_then(|_| sent.tracestate()),
            request_id: RequestId::from_header(sent.request_id),
            head: RequestHead::of(request, &sent, size, arrived),
            found: mount.find(request),
            mount: Arc::clone(mount),
        }))
    }

    /// The trace this request belongs to: the caller's, or a fresh one.
    #[must_use]
    pub fn trace_id(&self) -> &TraceId {
        &self.0.trace_id
    }

    /// The span of this request, new in this service.
    #[must_use]
    pub fn span_id(&self) -> &SpanId {
        &self.0.span_id
    }

    /// The caller's span, where it sent a valid `traceparent`.
    #[must_use]
    pub fn parent_span_id(&self) -> Option<&SpanId> {
        self.0.parent_span_id.as_ref()
    }

    /// The request id: the caller's `X-Request-Id` where it is usable (1 to 128 visible ASCII characters), else a fresh one.
    #[must_use]
    pub fn request_id(&self) -> &str {
        self.0.request_id.as_str()
    }

    /// The headers for a call to the next service: `traceparent` with this request's span as the parent, `tracestate`
    /// as it came, and `x-request-id`.
    pub fn outgoing_headers(&self) -> HeaderMap {
        let inner = &*self.0;
        let traceparent = format!("00-{}-{}-{:02x}", inner.trace_id, inner.span_id, inner.flags);
        let mut headers = HeaderMap::with_capacity(3);
        headers.insert(TRACEPARENT, traceparent.try_into().expect("hexadecimal digits and dashes are a header value"));
        headers.insert(X_REQUEST_ID, inner.request_id.to_header());
        if let Some(tracestate) = &inner.tracestate {
            headers.insert(TRACESTATE, tracestate.clone());
        }
        headers
    }

    pub(crate) fn request_id_json(&self, out: &mut Vec<u8>) {
        self.0.request_id.write_json(out);
    }

    pub(crate) fn request_id_header(&self) -> HeaderValue {
        self.0.request_id.to_header()
    }

    pub(crate) fn trace_id_header(&self) -> HeaderValue {
        HeaderValue::from_bytes(self.0.trace_id.as_bytes()).expect("hexadecimal digits are a header value")
    }

    pub(crate) fn telemetry(&self) -> &Shared {
        &self.0.mount.telemetry
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        self.0.mount.endpoint(&self.0.found)
    }

    pub(crate) fn head(&self) -> &RequestHead {
        &self.0.head
    }
}

impl std::fmt::Debug for RequestContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestContext")
            .field("trace_id", self.trace_id())
            .field("span_id", self.span_id())
            .field("request_id", &self.request_id())
            .finish_non_exhaustive()
    }
}

/// Rejected, with a 500 that says so, only where the router was not instrumented.
impl<S: Sync> FromRequestParts<S> for RequestContext {
    type Rejection = Problem;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Problem> {
        current().ok_or_else(|| {
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR).detail(
                "no request context: the router of this handler is not instrumented; call Redpane::instrument on it",
            )
        })
    }
}
