//! gRPC calls that are streams before their headers, because their clients stream: from the arrival of a call on, and at its end
//! where that comes first.

use std::time::{Duration, Instant};

use http::HeaderMap;

use super::grpc_call::SeenCall;
use super::route_cache::{RequestSeries, RouteCache};
use super::running_stream::RunningStream;
use crate::metrics::http::Series;
use crate::request::context::RequestContext;
use crate::request::finished::{FinishedRequest, Outcome};
use crate::request::grpc::GrpcCode;
use crate::request::size::RequestSize;
use crate::request::stream::FinishedStream;

/// What is known of a gRPC call when it arrives.
#[cold]
pub(super) fn see_call(
    headers: &HeaderMap,
    cache: &RouteCache,
    series: &RequestSeries,
    size: &RequestSize,
    arrived: Instant,
) -> Box<SeenCall> {
    let mut seen = SeenCall::new(headers, size.watch_call(arrived));
    let registry = &cache.pipeline.registry;
    if let RequestSeries::Known(series) = series
        && registry.grpc.some_take_streams()
        && !registry.http.endpoint(series).0.until_end
        && let Some(method) = cache.grpc_method(series, false).filter(|method| method.takes_stream())
    {
        seen.begins(method, RunningStream::begin(&cache.pipeline, series.clone(), 0, arrived));
    }
    seen
}

/// The end of a gRPC call: its own time, its code, and its stream where it was one before its headers and never got so far. The
/// code is told with that then.
#[cold]
pub(super) fn end_call(
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
pub(super) struct ClientStream {
    running: RunningStream,
    grpc_code: Option<GrpcCode>,
}

impl ClientStream {
    #[cold]
    pub(super) fn finish(&self, request: &FinishedRequest<'_>) {
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
