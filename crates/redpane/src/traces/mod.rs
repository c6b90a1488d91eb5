//! Spans of requests, sent as OTLP over HTTP.
//!
//! * [`span`] is what a span is made of; [`encode`] writes the fields of protobuf messages, [`resource`] what stands
//!   around the spans of a batch.
//! * [`batch`] is the bounded buffer between requests and the one thread that exports ([`export`]); [`transport`] sends one
//!   batch once, [`answer`] reads what the receiver says to it, [`retry`] says when to try again.
//! * [`recorder`] decides at a request's end whether its span is kept, and [`config`] is what
//!   people set, by the builder or by the [`environment`].
//! * [`internal`] makes spans of the `tracing` spans inside of a request.
//! * [`client_span`] is for calls to other services.
//! * [`sampler`] decides when a request arrives whether its trace is sampled.

pub(crate) mod answer;
pub(crate) mod batch;
pub(crate) mod client_span;
pub(crate) mod config;
mod encode;
pub(crate) mod environment;
pub(crate) mod export;
pub(crate) mod internal;
pub(crate) mod recorder;
pub(crate) mod resource;
mod retry;
pub(crate) mod sampler;
pub(crate) mod span;
pub(crate) mod transport;
