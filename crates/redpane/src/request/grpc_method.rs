//! Methods of gRPC as the application declares them.

/// What a gRPC method takes and gives: one message, or a stream of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GrpcType {
    Unary,
    ClientStream,
    ServerStream,
    BidiStream,
}

impl GrpcType {
    /// As go-grpc-prometheus spells it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Unary => "unary",
            Self::ClientStream => "client_stream",
            Self::ServerStream => "server_stream",
            Self::BidiStream => "bidi_stream",
        }
    }

    pub(crate) fn takes_stream(self) -> bool {
        matches!(self, Self::ClientStream | Self::BidiStream)
    }
}

/// A method of a gRPC service, for [`Redpane::grpc_service`](crate::Redpane::grpc_service).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrpcMethod {
    pub(crate) name: String,
    pub(crate) kind: GrpcType,
}

impl GrpcMethod {
    /// `rpc Take(Order) returns (Receipt)`.
    pub fn unary(name: impl Into<String>) -> Self {
        Self { name: name.into(), kind: GrpcType::Unary }
    }

    /// `rpc Upload(stream Part) returns (Receipt)`.
    pub fn client_streaming(name: impl Into<String>) -> Self {
        Self { name: name.into(), kind: GrpcType::ClientStream }
    }

    /// `rpc Watch(Order) returns (stream Change)`.
    pub fn server_streaming(name: impl Into<String>) -> Self {
        Self { name: name.into(), kind: GrpcType::ServerStream }
    }

    /// `rpc Chat(stream Message) returns (stream Message)`.
    pub fn bidi_streaming(name: impl Into<String>) -> Self {
        Self { name: name.into(), kind: GrpcType::BidiStream }
    }
}
