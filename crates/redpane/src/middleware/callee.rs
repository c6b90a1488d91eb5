//! What a gRPC call turns out to call, where its method is not known yet.

use http::HeaderMap;

use crate::metrics::route::UNMATCHED;

/// gRPC's code for success, as `grpc-status` says it.
const OK: &[u8] = b"0";

/// A call of a gRPC method that is not known yet. Anybody can send such a request to anything: its path becomes a label
/// with the first answer that a method gave.
pub(super) struct GrpcCall {
    path: Box<str>,
    /// The label of a request that is no call of a method.
    other_label: Box<str>,
    pub(super) dimension: usize,
}

/// What a gRPC call turned out to call.
#[derive(Clone, Copy)]
pub(super) enum Callee {
    /// A method, which its path names.
    Method,
    /// A server of gRPC that refused it: nobody knows whether there is such a method.
    Unknown,
    /// Something else, or nobody knows.
    NotGrpc,
}

impl GrpcCall {
    pub(super) fn new(path: &str, other_label: &str, dimension: usize) -> Self {
        Self { path: path.into(), other_label: other_label.into(), dimension }
    }

    /// The label `route` of the call.
    pub(super) fn label(&self, callee: Callee) -> &str {
        match callee {
            Callee::Method => &self.path,
            Callee::Unknown => UNMATCHED,
            Callee::NotGrpc => &self.other_label,
        }
    }
}

impl Callee {
    /// Told by the headers of the answer. An answer that has an error and nothing else ("trailers-only") is what whoever refuses
    /// calls in front of the methods sends, whatever method is named.
    pub(super) fn of_answer(headers: &HeaderMap, is_grpc: bool) -> Self {
        let is_refused = || headers.get("grpc-status").is_some_and(|code| code.as_bytes() != OK);
        match is_grpc {
            true if is_refused() => Self::Unknown,
            true => Self::Method,
            false => Self::NotGrpc,
        }
    }
}
