//! What goes on after the headers of an answer that streams by its nature, or because the builder says so.
//!
//! Its request ended at the headers: a connection of six hours must be no duration of six hours. The stream has a gauge and a
//! histogram of its own, and a second line at its end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Buf;
use http::{Response, StatusCode, header};
use http_body::Frame;

use super::grpc_call::SeenCall;
use super::pipeline::Pipeline;
use super::running_stream::RunningStream;
use crate::logs::timestamp;
use crate::metrics::http::Series;
use crate::request::context::RequestContext;
use crate::request::fields::RecordedFields;
use crate::request::finished::Outcome;
use crate::request::last_handle::LastHandle;
use crate::request::stream::FinishedStream;
use crate::trace_context::ids::{SpanId, TraceId};

/// A stream that is a body. Whoever holds it drops it when the stream is over.
pub(super) struct BodyStream {
    /// `None` only while code runs inside it.
    pub(super) context: Option<RequestContext>,
    pub(super) bytes: u64,
    /// Recorded if it is dropped now.
    pub(super) outcome: Outcome,
    running: RunningStream,
    /// Of a gRPC method.
    grpc: Option<Box<SeenCall>>,
}

impl BodyStream {
    pub(super) fn begin(
        context: RequestContext,
        pipeline: &Arc<Pipeline>,
        series: Series,
        status: u16,
        mut grpc: Option<Box<SeenCall>>,
    ) -> Self {
        let seen = grpc.as_mut().and_then(|seen| seen.begun_stream(pipeline, &series, context.head().arrived));
        let mut running = seen.unwrap_or_else(|| RunningStream::begin(pipeline, series, status, Instant::now()));
        running.status = status;
        Self { context: Some(context), bytes: 0, outcome: Outcome::Aborted, running, grpc }
    }

    /// It has nothing to hand over yet.
    #[cold]
    pub(super) fn waits(&mut self) {
        if let Some(seen) = &mut self.grpc {
            seen.waits();
        }
    }

    /// A frame of it was handed over. Apart from the requests that end with their body, which are most.
    #[cold]
    pub(super) fn count<D: Buf>(&mut self, frame: &Frame<D>) {
        if let Some(seen) = &mut self.grpc {
            seen.frame(frame);
        }
        if let Some(data) = frame.data_ref() {
            self.bytes += data.remaining() as u64;
        }
    }
}

impl Drop for BodyStream {
    fn drop(&mut self) {
        let Some(context) = self.context.take() else { return };
        let (trace_id, span_id) = context.ids();
        let RunningStream { pipeline, series, status, .. } = &self.running;
        let elapsed = context.head().arrived.elapsed();
        let grpc_code = self.grpc.as_ref().and_then(|seen| seen.end(self.outcome, elapsed).code);
        let endpoint = pipeline.registry.http.endpoint(series).0;
        let stream = FinishedStream {
            trace_id,
            span_id,
            grpc_code,
            endpoint,
            path: context.head().path(),
            status: *status,
            outcome: self.outcome,
            nanoseconds: self.running.nanoseconds(),
            ended: timestamp::now(),
            response_bytes: Some(self.bytes),
            client: context.head().client,
            request_id: context.request_id(),
            fields: context.take_fields(),
        };
        self.running.finish(&stream, Some(&context));
    }
}

/// A connection that is leaving HTTP with its request (101, or CONNECT). It is a stream if something of the request is left
/// when the body of its answer is gone, which is when this is dropped.
pub(super) struct PendingUpgrade {
    /// `None` only while code runs inside it.
    pub(super) context: Option<RequestContext>,
    pipeline: Arc<Pipeline>,
    series: Series,
    status: u16,
    began: Instant,
}

impl PendingUpgrade {
    pub(super) fn new(context: RequestContext, pipeline: &Arc<Pipeline>, series: Series, status: u16) -> Self {
        Self { context: Some(context), pipeline: Arc::clone(pipeline), series, status, began: Instant::now() }
    }
}

impl Drop for PendingUpgrade {
    fn drop(&mut self) {
        // Nobody could tell its end where the application has kept nothing of the request: then only its request is counted.
        if let Some(context) = self.context.take().filter(RequestContext::is_shared) {
            let running = RunningStream::begin(&self.pipeline, self.series.clone(), self.status, self.began);
            Upgrade::begin(&context, running);
        }
    }
}

/// A connection that left HTTP with its request. No middleware sees what is sent on it; it lasts for as long as something runs
/// in its request.
struct Upgrade {
    running: RunningStream,
    /// Of the request, which is gone when this ends.
    ids: Ids,
}

struct Ids {
    trace_id: TraceId,
    span_id: SpanId,
    request_id: Box<str>,
    path: Box<str>,
    client: Option<SocketAddr>,
}

impl Upgrade {
    fn begin(context: &RequestContext, running: RunningStream) {
        let (trace_id, span_id) = context.ids();
        let ids = Ids {
            trace_id: *trace_id,
            span_id: *span_id,
            request_id: context.request_id().into(),
            path: context.head().path().into(),
            client: context.head().client,
        };
        context.tell_at_last(Box::new(Self { running, ids }));
    }
}

impl LastHandle for Upgrade {
    fn dropped(&mut self, fields: Option<RecordedFields>, panicked: bool) {
        let RunningStream { pipeline, series, status, .. } = &self.running;
        let stream = FinishedStream {
            grpc_code: None,
            trace_id: &self.ids.trace_id,
            span_id: &self.ids.span_id,
            endpoint: pipeline.registry.http.endpoint(series).0,
            path: &self.ids.path,
            status: *status,
            outcome: if panicked { Outcome::Panic } else { Outcome::Complete },
            nanoseconds: self.running.nanoseconds(),
            ended: timestamp::now(),
            response_bytes: None,
            client: self.ids.client,
            request_id: &self.ids.request_id,
            fields,
        };
        self.running.finish(&stream, None);
    }
}

/// What an answer is by its nature.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Nature {
    Plain,
    EventStream,
    /// The connection leaves HTTP with it.
    Upgrade,
}

/// Whether an answer whose length nobody knows streams by its nature: server-sent events.
pub(super) fn is_event_stream<R>(response: &Response<R>) -> bool {
    const EVENT_STREAM: &[u8] = b"text/event-stream";
    let kind = response.headers().get(header::CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
    // Parameters may follow, and another type may begin like this one.
    kind.split_at_checked(EVENT_STREAM.len()).is_some_and(|(kind, rest)| {
        kind.eq_ignore_ascii_case(EVENT_STREAM) && matches!(rest.first(), None | Some(b';' | b' ' | b'\t'))
    })
}

/// Whether the connection, or the stream of HTTP/2, leaves HTTP with this answer (RFC 9110, section 15.2.2; RFC 8441).
pub(super) fn is_upgrade(status: StatusCode, is_connect: bool) -> bool {
    status == StatusCode::SWITCHING_PROTOCOLS || (is_connect && status.is_success())
}
