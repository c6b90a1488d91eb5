//! The tower middleware: one request, observed once.
//!
//! * [`layer`] wraps a service, or every endpoint of a router, fallbacks included; [`service`] starts the observation of a
//!   request. It measures the [`request_body`] and finds the route ([`route_cache`], [`route_label`], [`declared_label`]).
//! * [`future`] holds it until the headers are sent, [`body`] until the last byte ([`body_state`], [`body_error`]); a panic, an error, a broken body, a
//!   timeout or a client that leaves ends it where it happens. A panic that was caught has its line by [`caught_panic`].
//! * [`ask_inside`] finds the span of an SDK of the application's, where that says the ids.
//! * [`grpc_call`] reads the code of a gRPC call, [`grpc_answer`] what its messages tell; [`callee`] is what it called, and
//!   [`client_stream`] what it is before its headers where its client streams.
//! * [`stream`] holds what goes on after a request that ended at its headers; [`running_stream`] is what is known of it.
//! * [`delivery`] holds it on where the server tells when the client's system has the bytes; [`offer`] brings it here.
//! * [`observation`] is what was seen. It has one end, its `Drop`, which makes one `FinishedRequest` and hands it to the
//!   [`pipeline`]: metrics, access line, observers.

mod ask_inside;
pub(crate) mod body;
pub(crate) mod body_error;
mod body_state;
mod callee;
mod caught_panic;
mod client_stream;
pub(crate) mod declared_label;
pub(crate) mod delivery;
pub(crate) mod future;
mod grpc_answer;
mod grpc_call;
pub(crate) mod layer;
pub(crate) mod observation;
mod offer;
pub(crate) mod pipeline;
mod request_body;
mod route_cache;
pub(crate) mod route_label;
mod running_stream;
pub(crate) mod service;
mod stream;
mod unwind;
