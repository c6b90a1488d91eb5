//! A request at its end: the one value that the sample, the access line and all observers are made from.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tracing::Level;

use super::context::{KnownBy, RequestContext, TraceSampler};
use super::endpoint::EndpointInfo;
use super::fields::{FieldValue, RecordedFields};
use super::grpc::GrpcCode;
use crate::trace_context::ids::{SpanId, TraceId};

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The answer was handed over whole.
    Complete,
    /// The client left before the end of the answer.
    Aborted,
    /// The body of the answer failed after its headers were sent.
    BodyError,
    /// The application panicked.
    Panic,
    /// The application took too long: the answer is marked [`TimedOut`](crate::TimedOut), or has the status 408 or 504.
    Timeout,
    /// The service behind the middleware returned an error instead of an answer.
    Error,
}

impl Outcome {
    /// All of them, in their order.
    pub(crate) const ALL: [Self; 6] =
        [Self::Complete, Self::Aborted, Self::BodyError, Self::Panic, Self::Timeout, Self::Error];

    /// The value of the field `outcome`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Aborted => "aborted",
            Self::BodyError => "body_error",
            Self::Panic => "panic",
            Self::Timeout => "timeout",
            Self::Error => "error",
        }
    }
}

/// Takes the spans of requests, where spans are exported.
pub(crate) trait RequestSpans: Send + Sync {
    /// Decides about the span of a request that has ended, and takes it. Whether it is kept.
    fn finished(&self, request: &FinishedRequest<'_>) -> bool;

    /// What decides when a request arrives.
    fn sampler(&self) -> &dyn TraceSampler;
}

/// A request that has ended. Its metric sample and its access line say the same.
#[derive(Debug)]
pub struct FinishedRequest<'a> {
    pub(crate) context: &'a RequestContext,
    pub(crate) known_by: KnownBy<'a>,
    pub(crate) endpoint: &'a EndpointInfo,
    pub(crate) status: u16,
    pub(crate) outcome: Outcome,
    pub(crate) nanoseconds: u64,
    /// Since 1970.
    pub(crate) ended: Duration,
    pub(crate) response_bytes: Option<u64>,
    pub(crate) grpc_code: Option<GrpcCode>,
    pub(crate) fields: Option<RecordedFields>,
}

impl FinishedRequest<'_> {
    /// The label `method`: a standard method, or `_OTHER`.
    #[must_use]
    pub fn method(&self) -> &str {
        self.endpoint.method
    }

    /// The label `route`: the route template, or `unmatched`.
    #[must_use]
    pub fn route(&self) -> &str {
        &self.endpoint.route
    }

    /// The path as it was sent, without its query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.context.head().path()
    }

    /// The status that was sent; 499 where the client left before any was, 500 after a panic or an error.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// How it ended.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The level of its access line: `ERROR` for 5xx, panics, errors and broken bodies, `WARN` for 4xx and clients that
    /// left, else `INFO`. A gRPC code that is the server's fault is `ERROR`, others but `OK` are `WARN`.
    #[must_use]
    pub fn level(&self) -> Level {
        match (self.outcome, self.status) {
            (Outcome::Panic | Outcome::BodyError | Outcome::Error, _) | (_, 500..) => Level::ERROR,
            _ if self.grpc_code.is_some_and(GrpcCode::is_servers_fault) => Level::ERROR,
            (Outcome::Aborted, _) | (_, 400..) => Level::WARN,
            _ if self.grpc_code.is_some_and(|code| code != GrpcCode::OK) => Level::WARN,
            _ => Level::INFO,
        }
    }

    /// The code of a gRPC call, as go-grpc-prometheus spells it: `OK`, `Canceled`, `DeadlineExceeded` and so on. `None` for
    /// other requests, and for a stream, which has its code at its end.
    #[must_use]
    pub fn grpc_code(&self) -> Option<&'static str> {
        self.grpc_code.map(GrpcCode::name)
    }

    /// When the request arrived.
    #[must_use]
    pub fn started(&self) -> SystemTime {
        UNIX_EPOCH + self.ended.saturating_sub(self.duration())
    }

    /// From its arrival to the end of its body, or to its headers where it is a stream. Where the client of a gRPC call streamed,
    /// only from the last message on that the method took.
    #[must_use]
    pub fn duration(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds)
    }

    /// The trace it belongs to.
    #[must_use]
    pub fn trace_id(&self) -> &TraceId {
        self.known_by.trace_id
    }

    /// Its span.
    #[must_use]
    pub fn span_id(&self) -> &SpanId {
        self.known_by.span_id
    }

    /// The caller's span, where it sent one.
    #[must_use]
    pub fn parent_span_id(&self) -> Option<&SpanId> {
        self.known_by.parent_span_id
    }

    /// Its request id.
    #[must_use]
    pub fn request_id(&self) -> &str {
        self.context.request_id()
    }

    /// Bytes of the request's body: its length where that was sent, else what the application has read. `None` where nobody
    /// counts them: a body without a length that is not axum's, or with the feature `tonic` tonic's.
    #[must_use]
    pub fn request_bytes(&self) -> Option<u64> {
        self.context.head().size.bytes()
    }

    /// Bytes of the answer's body that were handed over. `None` where the request ended at the headers.
    #[must_use]
    pub fn response_bytes(&self) -> Option<u64> {
        self.response_bytes
    }

    /// The client's address, where the server says it.
    #[must_use]
    pub fn client(&self) -> Option<SocketAddr> {
        self.context.head().client
    }

    /// The header `User-Agent`, as it was sent.
    #[must_use]
    pub fn user_agent(&self) -> Option<&[u8]> {
        self.context.head().user_agent.as_ref().map(http::HeaderValue::as_bytes)
    }

    /// The fields that the application recorded, in the order of their first recording.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &FieldValue)> {
        self.fields.iter().flat_map(|fields| fields.iter())
    }
}
