//! What goes on after a request has ended at its headers.

use std::net::SocketAddr;

use tracing::Level;

use super::endpoint::EndpointInfo;
use super::fields::RecordedFields;
use super::finished::Outcome;
use super::grpc::GrpcCode;
use crate::trace_context::ids::{SpanId, TraceId};

/// A stream that has ended. Its sample and its line say the same.
pub(crate) struct FinishedStream<'a> {
    pub(crate) trace_id: &'a TraceId,
    pub(crate) span_id: &'a SpanId,
    pub(crate) endpoint: &'a EndpointInfo,
    pub(crate) path: &'a str,
    pub(crate) status: u16,
    pub(crate) grpc_code: Option<GrpcCode>,
    pub(crate) outcome: Outcome,
    /// Since the headers of its answer.
    pub(crate) nanoseconds: u64,
    /// `None` where the bytes are not those of a body.
    pub(crate) response_bytes: Option<u64>,
    pub(crate) client: Option<SocketAddr>,
    pub(crate) request_id: &'a str,
    /// Those that were recorded while it lasted.
    pub(crate) fields: Option<RecordedFields>,
}

impl FinishedStream<'_> {
    /// The level of its line. A client that leaves a stream ends it as it should be ended: most have no other end. So does
    /// the deadline that it gave a gRPC call.
    pub(crate) fn level(&self) -> Level {
        match (self.outcome, self.grpc_code) {
            (Outcome::Panic | Outcome::BodyError | Outcome::Error, _) => Level::ERROR,
            (Outcome::Aborted, Some(GrpcCode::CANCELED | GrpcCode::DEADLINE_EXCEEDED)) => Level::INFO,
            (_, Some(code)) if code.is_servers_fault() => Level::ERROR,
            (_, Some(code)) if code != GrpcCode::OK => Level::WARN,
            (Outcome::Complete | Outcome::Aborted | Outcome::Timeout, _) => Level::INFO,
        }
    }

    /// Whether it was a gRPC call that failed, by the fault of the server, although its status says nothing of that.
    pub(crate) fn is_failed_call(&self) -> bool {
        self.status < 500 && self.grpc_code.is_some_and(GrpcCode::is_servers_fault) && self.level() == Level::ERROR
    }
}
