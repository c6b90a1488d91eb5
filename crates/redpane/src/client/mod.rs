//! Calls to other services.
//!
//! [`OutgoingLayer`] goes around an HTTP client that is a `tower` service. It is made by
//! [`Telemetry::outgoing_layer`](crate::Telemetry::outgoing_layer).

mod body;
mod call;
mod future;
mod layer;
mod service;
#[cfg(feature = "otlp")]
mod span;

pub use body::OutgoingBody;
pub use future::OutgoingFuture;
pub use layer::OutgoingLayer;
pub use service::OutgoingService;
