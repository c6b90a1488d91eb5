//! What was seen of one request. Its end yields one `FinishedRequest`.

mod call;
mod end;
mod streams;

use std::iter::successors;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Buf;
use http::uri::Scheme;
use http::{HeaderMap, Request, StatusCode};
use http_body::{Body, Frame};

use super::ask_inside::AskInside;
use super::grpc_call::SeenCall;
use super::pipeline::Policy;
use super::route_cache::{Endpoint, RequestSeries, RouteCache, Treatment};
use super::unwind::{Payload, catch};
use super::{caught_panic, client_stream, declared_label, request_body};
use crate::request::context::RequestContext;
use crate::request::current::{enter, with_current};
use crate::request::finished::Outcome;
use crate::request::head::RequestHead;
use crate::request::headers::{SentHeaders, X_REQUEST_ID};
use crate::request::outside_spans;

/// The status of a request whose client left before any was sent: nginx' "client closed request".
const CLIENT_CLOSED_REQUEST: u16 = 499;

/// One request. Whoever holds it drops it when the request is over, and that is what counts and logs it: exactly once,
/// on every path, panics and vanished clients included.
pub(super) struct Observation {
    /// `None` only while code runs inside it.
    context: Option<RequestContext>,
    series: RequestSeries,
    /// That of its route, as far as it was known on arrival. What logs failures only is not in the gauge of requests in flight.
    treatment: Treatment,
    /// A copy: it is asked for while the answer is made.
    policy: Policy,
    status: u16,
    /// Recorded if it is dropped now.
    outcome: Outcome,
    /// Recorded if its body ends well.
    completion: Outcome,
    response_bytes: u64,
    /// What is seen of a gRPC call.
    grpc: Option<Box<SeenCall>>,
}

impl Observation {
    /// A request has arrived. Its body is counted from here on, and it carries its request id. `None` if a middleware of the
    /// same telemetry observes this very request already.
    ///
    /// `client` is its address where nothing in the request says it.
    pub(super) fn start<B: Body + 'static>(
        cache: &Arc<RouteCache>,
        request: &mut Request<B>,
        client: Option<SocketAddr>,
    ) -> Option<Self> {
        let outer = context_of(request);
        let mut contexts = successors(outer.as_ref(), |inner| inner.outer()).filter_map(RouteCache::of);
        if contexts.any(|outer| Arc::ptr_eq(&outer.pipeline, &cache.pipeline)) {
            return None;
        }
        let arrived = Instant::now();
        let size = request_body::measure(request.body_mut());
        let mut combination = declared_label::combination(&cache.pipeline.declared, request);
        if cache.pipeline.policy.counts_schemes && request.uri().scheme() == Some(&Scheme::HTTPS) {
            combination += cache.pipeline.registry.http.dimensions().https();
        }
        let sent = SentHeaders::find(request.headers());
        let Endpoint { series, treatment, is_grpc } = cache.find(request, sent.is_grpc(), combination);
        let grpc = is_grpc.then(|| client_stream::see_call(request.headers(), cache, &series, &size, arrived));
        // A middleware of another telemetry knows what was taken out of the request.
        let client = client.or_else(|| outer.as_ref().and_then(|outer| outer.head().client));
        let head = RequestHead::of(request, &sent, size, arrived, client);
        let trusted = cache.pipeline.policy.trust_trace_context;
        let mut context = RequestContext::new(&sent, trusted, head, Arc::clone(cache) as _, outer);
        if treatment.failures_only {
            context.sample_only_failures();
        }
        context.put_request_id(request.headers_mut());
        if let Some(source) = &cache.pipeline.ids_from {
            context.ask_sdk(source);
            AskInside::put(&context, request.extensions_mut());
        }
        if let Some(names) = &cache.pipeline.promoted {
            outside_spans::arrive(names, &context);
        }
        // From here on the drop of the observation takes it back.
        cache.pipeline.registry.http.serving(treatment.failures_only).enter();
        Some(Self {
            context: Some(context),
            series,
            treatment,
            policy: cache.pipeline.policy,
            status: CLIENT_CLOSED_REQUEST,
            outcome: Outcome::Aborted,
            completion: Outcome::Complete,
            response_bytes: 0,
            grpc,
        })
    }

    /// The ids of the request.
    pub(super) fn context(&self) -> Option<&RequestContext> {
        self.context.as_ref()
    }

    /// What the builder has switched.
    pub(super) fn policy(&self) -> Policy {
        self.policy
    }

    /// Takes over the ids of an SDK's span that was entered since the request arrived: a layer outside may do so only when it
    /// polls. Before [`run`](Self::run) and not in it, where it would cost each request a copy of what the closure holds.
    pub(super) fn look_for_ids(&self) {
        if let Some(context) = &self.context {
            context.look_for_ids();
        }
    }

    /// Runs code of the application inside this request. A panic comes back as its payload.
    pub(super) fn run<R>(&mut self, work: impl FnOnce() -> R) -> Result<R, Payload> {
        let _scope = enter(&mut self.context);
        catch(work)
    }

    /// Makes sure that a caught panic has its log line.
    pub(super) fn log_panic(&self, run: Result<(), Payload>) {
        if let (Err(payload), Some(context)) = (run, &self.context) {
            caught_panic::log(context, &*payload);
        }
    }

    /// The service has answered: from here on the status is the one that is sent.
    pub(super) fn answered(&mut self, status: StatusCode, headers: &HeaderMap, completion: Outcome) {
        self.status = status.as_u16();
        self.completion = completion;
        if self.grpc.is_some() {
            self.call_answered(status, headers);
        }
    }

    /// The service has returned an error.
    pub(super) fn failed(mut self) {
        self.status = StatusCode::INTERNAL_SERVER_ERROR.as_u16();
        self.outcome = Outcome::Error;
    }

    /// The service has panicked, and the panic goes on.
    pub(super) fn panicked(mut self) {
        self.status = StatusCode::INTERNAL_SERVER_ERROR.as_u16();
        self.outcome = Outcome::Panic;
    }

    /// Whether HTTP leaves the body of the answer out, whatever it holds (RFC 9110, section 6.4.1).
    pub(super) fn has_no_body(&self) -> bool {
        matches!(self.status, 100..200 | 204 | 304)
            || self.context.as_ref().is_some_and(|context| context.head().is_head)
    }

    /// A frame of the answer was handed over.
    #[inline]
    pub(super) fn count<D: Buf>(&mut self, frame: &Frame<D>) {
        if let Some(seen) = &mut self.grpc {
            seen.frame(frame);
        }
        if let Some(data) = frame.data_ref() {
            self.response_bytes += data.remaining() as u64;
        }
    }

    /// Whether at least so many bytes of the answer were handed over.
    pub(super) fn has_sent(&self, bytes: u64) -> bool {
        self.response_bytes >= bytes
    }

    /// Whether the request asks for a tunnel, as a WebSocket over HTTP/2 does.
    pub(super) fn is_connect(&self) -> bool {
        self.context.as_ref().is_some_and(|context| context.head().is_connect)
    }

    /// Everything was sent.
    pub(super) fn complete(mut self) {
        self.delivered();
    }

    /// Everything was sent, as the server says.
    pub(super) fn delivered(&mut self) {
        self.outcome = self.completion;
    }

    /// The server has taken all of the body, and could not hand over all of it.
    pub(super) fn undelivered(&mut self) {
        // A timeout or a panic tells more than that the client did not wait for the answer that says so.
        if self.completion != Outcome::Complete {
            self.outcome = self.completion;
        }
    }

    /// The server has told how many bytes of the answer were handed over.
    pub(super) fn sent_only(&mut self, bytes: u64) {
        self.response_bytes = bytes;
    }

    /// The client left before the head of the answer was sent.
    pub(super) fn unsent(&mut self) {
        if self.completion == Outcome::Complete {
            self.status = CLIENT_CLOSED_REQUEST;
        }
    }

    /// It went wrong after the headers.
    pub(super) fn fail(mut self, outcome: Outcome) {
        self.outcome = outcome;
    }
}

/// The context that another middleware has made for this request.
fn context_of<B>(request: &Request<B>) -> Option<RequestContext> {
    // Most requests arrive where no other is being served, which costs less to find out than what they carry.
    let id = || request.headers().get(X_REQUEST_ID);
    with_current(|context| {
        context.filter(|context| id().is_some_and(|id| context.is_of(id, request.uri().path()))).cloned()
    })
}
