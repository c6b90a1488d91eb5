//! What goes on after a request has ended at its headers.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tracing::Level;

use super::endpoint::EndpointInfo;
use super::fields::{FieldValue, RecordedFields};
use super::finished::Outcome;
use super::grpc::GrpcCode;
use crate::trace_context::ids::{SpanId, TraceId};

/// A stream that has ended: what went on after its request had ended at the headers of its answer. Its metric sample and its
/// line say the same.
#[derive(Debug)]
pub struct FinishedStream<'a> {
    pub(crate) trace_id: &'a TraceId,
    pub(crate) span_id: &'a SpanId,
    pub(crate) endpoint: &'a EndpointInfo,
    pub(crate) path: &'a str,
    pub(crate) status: u16,
    pub(crate) grpc_code: Option<GrpcCode>,
    pub(crate) outcome: Outcome,
    /// Since the headers of its answer, or since its arrival where a gRPC client streamed.
    pub(crate) nanoseconds: u64,
    /// Since 1970.
    pub(crate) ended: Duration,
    /// `None` where the bytes are not those of a body.
    pub(crate) response_bytes: Option<u64>,
    pub(crate) client: Option<SocketAddr>,
    pub(crate) request_id: &'a str,
    /// Those that were recorded while it lasted.
    pub(crate) fields: Option<RecordedFields>,
}

impl FinishedStream<'_> {
    /// The label `method` of its request.
    #[must_use]
    pub fn method(&self) -> &str {
        self.endpoint.method
    }

    /// The label `route` of its request.
    #[must_use]
    pub fn route(&self) -> &str {
        &self.endpoint.route
    }

    /// The path of its request, without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.path
    }

    /// The status that was sent with its headers.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// How it ended. [`Aborted`](Outcome::Aborted) is how most streams end: the client has left.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The level of its line: `ERROR` for panics and broken bodies, else `INFO`, since a client that leaves a stream ends it as
    /// most are ended. A gRPC code that is the server's fault is `ERROR`, others but `OK` are `WARN`.
    #[must_use]
    pub fn level(&self) -> Level {
        match (self.outcome, self.grpc_code) {
            (Outcome::Panic | Outcome::BodyError | Outcome::Error, _) => Level::ERROR,
            // So does the deadline that the client gave a gRPC call.
            (Outcome::Aborted, Some(GrpcCode::CANCELED | GrpcCode::DEADLINE_EXCEEDED)) => Level::INFO,
            (_, Some(code)) if code.is_servers_fault() => Level::ERROR,
            (_, Some(code)) if code != GrpcCode::OK => Level::WARN,
            (Outcome::Complete | Outcome::Aborted | Outcome::Timeout, _) => Level::INFO,
        }
    }

    /// The code of a gRPC call, as go-grpc-prometheus spells it. `None` for other streams.
    #[must_use]
    pub fn grpc_code(&self) -> Option<&'static str> {
        self.grpc_code.map(GrpcCode::name)
    }

    /// When it began.
    #[must_use]
    pub fn started(&self) -> SystemTime {
        UNIX_EPOCH + self.ended.saturating_sub(self.duration())
    }

    /// For how long it lasted: after the headers of its answer, or after its arrival where the client of a gRPC call streamed.
    #[must_use]
    pub fn duration(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds)
    }

    /// The trace that its request belongs to.
    #[must_use]
    pub fn trace_id(&self) -> &TraceId {
        self.trace_id
    }

    /// The span of its request.
    #[must_use]
    pub fn span_id(&self) -> &SpanId {
        self.span_id
    }

    /// The id of its request.
    #[must_use]
    pub fn request_id(&self) -> &str {
        self.request_id
    }

    /// Bytes that were handed over. `None` for an upgraded connection, where nobody counts them.
    #[must_use]
    pub fn response_bytes(&self) -> Option<u64> {
        self.response_bytes
    }

    /// The client's address, where the server says it.
    #[must_use]
    pub fn client(&self) -> Option<SocketAddr> {
        self.client
    }

    /// The fields that were recorded while it lasted, in the order of their first recording.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &FieldValue)> {
        self.fields.iter().flat_map(|fields| fields.iter())
    }

    /// Whether it was a gRPC call that failed, by the fault of the server, although its status says nothing of that.
    pub(crate) fn is_failed_call(&self) -> bool {
        self.status < 500 && self.grpc_code.is_some_and(GrpcCode::is_servers_fault) && self.level() == Level::ERROR
    }
}
