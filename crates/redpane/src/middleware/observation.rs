//! What was seen of one request. Its end yields one `FinishedRequest`.

use std::any::Any;
use std::iter::successors;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Buf;
use http::uri::Scheme;
use http::{HeaderMap, Request, StatusCode, header};
use http_body::{Body, Frame};

use super::ask_inside::AskInside;
use super::grpc_call::SeenCall;
use super::pipeline::Policy;
use super::route_cache::{Callee, Endpoint, RequestSeries, RouteCache};
use super::running_stream::RunningStream;
use super::stream::{BodyStream, PendingUpgrade};
use super::unwind::{Payload, catch};
use super::{declared_label, request_body};
use crate::logs::{panics, timestamp};
use crate::metrics::http::Series;
use crate::request::context::RequestContext;
use crate::request::current::{enter, with_current};
use crate::request::finished::{FinishedRequest, Outcome};
use crate::request::grpc::GrpcCode;
use crate::request::head::RequestHead;
use crate::request::headers::{SentHeaders, X_REQUEST_ID, is_grpc};
use crate::request::outside_spans;
use crate::request::size::RequestSize;
use crate::request::stream::FinishedStream;

/// The status of a request whose client left before any was sent: nginx' "client closed request".
const CLIENT_CLOSED_REQUEST: u16 = 499;
/// gRPC's code for success, as `grpc-status` says it.
const OK: &[u8] = b"0";

/// One request. Whoever holds it drops it when the request is over, and that is what counts and logs it: exactly once,
/// on every path, panics and vanished clients included.
pub(super) struct Observation {
    /// `None` only while code runs inside it.
    context: Option<RequestContext>,
    series: RequestSeries,
    /// Its route, as far as it was known on arrival, logs failures only: it is not in the gauge of requests in flight.
    failures_only: bool,
    /// A copy: it is asked for while the answer is made.
    policy: Policy,
    status: u16,
    /// Recorded if it is dropped now.
    outcome: Outcome,
    /// Recorded if its body ends well.
    completion: Outcome,
    /// `None`: nobody counts them.
    response_bytes: Option<u64>,
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
        let mut contexts = successors(outer.as_ref(), |inner| inner.outer()).filter_map(cache_of);
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
        let Endpoint { series, failures_only, is_grpc } = cache.find(request, sent.is_grpc(), combination);
        let mut grpc = is_grpc.then(|| SeenCall::new(request.headers()));
        if let Some(seen) = &mut grpc {
            see_request(seen, cache, &series, &size, arrived);
        }
        // A middleware of another telemetry knows what was taken out of the request.
        let client = client.or_else(|| outer.as_ref().and_then(|outer| outer.head().client));
        let head = RequestHead::of(request, &sent, size, arrived, client);
        let trusted = cache.pipeline.policy.trust_trace_context;
        let mut context = RequestContext::new(&sent, trusted, head, Arc::clone(cache) as _, outer);
        if failures_only {
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
        cache.pipeline.registry.http.serving(failures_only).enter();
        Some(Self {
            context: Some(context),
            series,
            failures_only,
            policy: cache.pipeline.policy,
            status: CLIENT_CLOSED_REQUEST,
            outcome: Outcome::Aborted,
            completion: Outcome::Complete,
            response_bytes: Some(0),
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
            log_caught(context, &*payload);
        }
    }

    /// The service has answered: from here on the status is the one that is sent.
    pub(super) fn answered(&mut self, status: StatusCode, headers: &HeaderMap, completion: Outcome) {
        self.status = status.as_u16();
        self.completion = completion;
        if let RequestSeries::GrpcCall(call) = &self.series
            && let Some(cache) = self.context.as_ref().and_then(cache_of)
        {
            let callee = match headers.get(header::CONTENT_TYPE).is_some_and(is_grpc) {
                true if is_refused(headers) => Callee::Unknown,
                true => Callee::Method,
                false => Callee::NotGrpc,
            };
            if let Callee::NotGrpc = callee {
                self.grpc = None;
            }
            self.series = RequestSeries::Known(cache.call_series(call, callee));
        }
        if let Some(seen) = &mut self.grpc
            && let RequestSeries::Known(series) = &self.series
            && let Some(cache) = self.context.as_ref().and_then(cache_of)
        {
            let is_answer = headers.get(header::CONTENT_TYPE).is_some_and(is_grpc);
            let until_end = cache.pipeline.registry.http.endpoint(series).0.until_end;
            seen.answered(status, headers, is_answer, cache.grpc_method(series, is_answer), until_end);
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

    /// Whether the request ends at the headers of its answer: because that streams by its nature, or because the builder says
    /// so, which has the last word.
    #[inline]
    pub(super) fn ends_at_headers(&self, is_event_stream: bool) -> bool {
        (is_event_stream || self.grpc.is_some() || self.policy.some_end_at_headers) && self.is_stream(is_event_stream)
    }

    #[cold]
    fn is_stream(&self, is_event_stream: bool) -> bool {
        let by_nature = is_event_stream || self.grpc.as_ref().is_some_and(|seen| seen.streams());
        let RequestSeries::Known(series) = &self.series else { return by_nature };
        let Some(cache) = self.context.as_ref().and_then(cache_of) else { return by_nature };
        let info = cache.pipeline.registry.http.endpoint(series).0;
        info.until_headers || (by_nature && !info.until_end)
    }

    /// Whether it is a gRPC call whose client streams.
    #[inline]
    pub(super) fn takes_stream(&self) -> bool {
        self.grpc.as_ref().is_some_and(|seen| seen.takes_stream())
    }

    /// A frame of the answer was handed over.
    #[inline]
    pub(super) fn count<D: Buf>(&mut self, frame: &Frame<D>) {
        if let Some(seen) = &mut self.grpc {
            seen.frame(frame);
        }
        if let (Some(counted), Some(data)) = (&mut self.response_bytes, frame.data_ref()) {
            *counted += data.remaining() as u64;
        }
    }

    /// The body has nothing to hand over yet.
    pub(super) fn waits(&mut self) {
        if let Some(seen) = &mut self.grpc {
            seen.waits();
        }
    }

    /// Whether at least so many bytes of the answer were handed over.
    pub(super) fn has_sent(&self, bytes: u64) -> bool {
        self.response_bytes.is_some_and(|counted| counted >= bytes)
    }

    /// The request ends here, and with it the stream that it was.
    #[cold]
    pub(super) fn into_ended_stream(self) {
        if let Some(mut stream) = self.into_stream() {
            stream.outcome = Outcome::Complete;
        }
    }

    /// The request ends here, and a stream begins. `None` where nobody knows what was called.
    #[cold]
    pub(super) fn into_stream(mut self) -> Option<BodyStream> {
        self.response_bytes = None;
        // Its code comes with the end of the stream.
        let grpc = self.grpc.take();
        let own_time = grpc.as_ref().filter(|seen| seen.takes_stream()).map(|seen| seen.own_time(self.elapsed()));
        let parts = self.stream_parts();
        let stream = parts.map(|(context, cache, series)| {
            BodyStream::begin(context.clone(), &cache.pipeline, series, self.status, grpc)
        });
        self.outcome = self.completion;
        self.end(own_time);
        stream
    }

    fn elapsed(&self) -> Duration {
        self.context.as_ref().map_or(Duration::ZERO, |context| context.head().arrived.elapsed())
    }

    /// The connection leaves HTTP with this answer, and the request ends here.
    #[cold]
    pub(super) fn into_upgrade(self) -> Option<PendingUpgrade> {
        let parts = self.stream_parts();
        let upgrade = parts
            .map(|(context, cache, series)| PendingUpgrade::new(context.clone(), &cache.pipeline, series, self.status));
        self.complete();
        upgrade
    }

    fn stream_parts(&self) -> Option<(&RequestContext, &RouteCache, Series)> {
        let context = self.context.as_ref()?;
        let RequestSeries::Known(series) = &self.series else { return None };
        Some((context, cache_of(context)?, series.clone()))
    }

    /// Whether the request asks for a tunnel, as a WebSocket over HTTP/2 does.
    pub(super) fn is_connect(&self) -> bool {
        self.context.as_ref().is_some_and(|context| context.head().is_connect)
    }

    /// Everything was sent.
    pub(super) fn complete(mut self) {
        self.outcome = self.completion;
    }

    /// The server has taken all of the body, and could not hand over all of it.
    pub(super) fn undelivered(mut self) {
        // A timeout or a panic tells more than that the client did not wait for the answer that says so.
        if self.completion != Outcome::Complete {
            self.outcome = self.completion;
        }
    }

    /// The server has told how many bytes of the answer were handed over.
    pub(super) fn sent_only(&mut self, bytes: u64) {
        self.response_bytes = self.response_bytes.map(|_| bytes);
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

/// Looks at what is known of a gRPC call when it arrives.
#[cold]
fn see_request(seen: &mut SeenCall, cache: &RouteCache, series: &RequestSeries, size: &RequestSize, arrived: Instant) {
    seen.sees(size.watch_call(arrived));
    let (registry, RequestSeries::Known(series)) = (&cache.pipeline.registry, series) else { return };
    if registry.grpc.some_take_streams()
        && !registry.http.endpoint(series).0.until_end
        && let Some(method) = cache.grpc_method(series, false).filter(|method| method.takes_stream())
    {
        seen.begins(method, RunningStream::begin(&cache.pipeline, series.clone(), 0, arrived));
    }
}

/// Whether a gRPC answer has an error and nothing else (a "trailers-only" answer): whoever refuses calls in front of the
/// methods answers so, whatever method is named.
fn is_refused(headers: &HeaderMap) -> bool {
    headers.get("grpc-status").is_some_and(|code| code.as_bytes() != OK)
}

/// Makes sure that a panic that was caught inside a request has its log line.
pub(super) fn log_caught(context: &RequestContext, payload: &(dyn Any + Send)) {
    if let Some(cache) = cache_of(context) {
        panics::write_caught(&cache.pipeline.log, context, payload);
    }
}

/// Whether the builder wants panics inside this request to be caught.
pub(super) fn catches_panics(context: &RequestContext) -> bool {
    cache_of(context).is_none_or(|cache| cache.pipeline.policy.catch_panics)
}

/// What the middleware put beside the request.
fn cache_of(context: &RequestContext) -> Option<&RouteCache> {
    (context.telemetry() as &dyn Any).downcast_ref()
}

/// The one end of every request.
impl Drop for Observation {
    fn drop(&mut self) {
        self.end(None);
    }
}

impl Observation {
    /// Counts and logs it, once. `own_time` is how much of the time is its own, where that is not all.
    #[inline]
    fn end(&mut self, own_time: Option<Duration>) {
        // Nothing is dropped while code runs inside it, so it is there.
        let Some(context) = self.context.take() else { return };
        let Some(cache) = cache_of(&context) else { return };
        let mut elapsed = own_time.unwrap_or_else(|| context.head().arrived.elapsed());
        let unanswered;
        let series = match &self.series {
            RequestSeries::Known(series) => series,
            RequestSeries::GrpcCall(call) => {
                // Whether it named a method nobody knows.
                elapsed = self.grpc.take().map_or(elapsed, |mut seen| seen.time_of_unknown(elapsed));
                unanswered = cache.call_series(call, Callee::NotGrpc);
                &unanswered
            }
        };
        let http = &cache.pipeline.registry.http;
        let (info, counted) = http.endpoint(series);
        let mut grpc_code = None;
        let mut client_stream = None;
        if let Some(mut seen) = self.grpc.take() {
            (elapsed, grpc_code, client_stream) = end_call(&mut seen, &context, cache, series, self.outcome, elapsed);
        }
        let request = FinishedRequest {
            endpoint: info,
            status: self.status,
            outcome: self.outcome,
            nanoseconds: u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX),
            ended: timestamp::now(),
            response_bytes: self.response_bytes,
            grpc_code,
            fields: context.take_fields(),
            known_by: context.known_by(),
            context: &context,
        };
        cache.pipeline.finish(counted, &request);
        if let Some(stream) = client_stream {
            stream.finish(&request);
        }
        // Last of all: whoever waits for the last request before the process ends, or flushes the log, must find it
        // counted and its line made.
        http.serving(self.failures_only).leave();
    }
}

/// The end of a gRPC call: its own time, its code, and its stream where it was one before its headers and never got so far. The
/// code is told with that then.
#[cold]
fn end_call(
    seen: &mut SeenCall,
    context: &RequestContext,
    cache: &RouteCache,
    series: &Series,
    outcome: Outcome,
    elapsed: Duration,
) -> (Duration, Option<GrpcCode>, Option<Box<ClientStream>>) {
    let info = cache.pipeline.registry.http.endpoint(series).0;
    if seen.method.is_none() {
        seen.method = cache.grpc_method(series, false);
    }
    seen.was_not_answered(info.until_end);
    let ended = seen.end(outcome, elapsed);
    if let Some(running) = seen.begun_stream(&cache.pipeline, series, context.head().arrived) {
        let stream = ClientStream { running, grpc_code: ended.code };
        return (seen.own_time(elapsed), None, Some(Box::new(stream)));
    }
    let Some(lasted) = ended.streamed else { return (elapsed, ended.code, None) };
    // Nobody knew at its headers: the first answer of its method.
    let nanoseconds = u64::try_from(lasted.as_nanos()).unwrap_or(u64::MAX);
    cache.pipeline.registry.streams.begin(&info.route).end(outcome, nanoseconds);
    (elapsed.saturating_sub(lasted), ended.code, None)
}

/// A gRPC call whose client streamed has ended before its headers.
struct ClientStream {
    running: RunningStream,
    grpc_code: Option<GrpcCode>,
}

impl ClientStream {
    #[cold]
    fn finish(&self, request: &FinishedRequest<'_>) {
        let (trace_id, span_id) = request.context.ids();
        let stream = FinishedStream {
            trace_id,
            span_id,
            endpoint: request.endpoint,
            path: request.path(),
            status: request.status,
            grpc_code: self.grpc_code,
            outcome: request.outcome,
            nanoseconds: self.running.nanoseconds(),
            ended: request.ended,
            response_bytes: request.response_bytes,
            client: request.client(),
            request_id: request.request_id(),
            fields: None,
        };
        self.running.finish(&stream, Some(request.context));
    }
}
