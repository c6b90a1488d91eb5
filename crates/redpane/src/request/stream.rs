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
    /// The level of its line. A client that leaves a stream ends it as it should be ended: most have no other end.
    pub(crate) fn level(&self) -> Level {
        match self.outcome {
            Outcome::Panic | Outcome::BodyError | Outcome::Error => Level::ERROR,
            _ if self.grpc_code.is_some_and(GrpcCode::is_servers_fault) => Level::ERROR,
            _ if self.grpc_code.is_some_and(|code| code != GrpcCode::OK) => Level::WARN,
            Outcome::Complete | Outcome::Aborted | Outcome::Timeout => Level::INFO,
        }
    }
}
