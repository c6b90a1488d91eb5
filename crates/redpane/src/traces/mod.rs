//! Spans of requests, sent as OTLP over HTTP.
//!
//! * [`span`] is what a request's span is made of, with its [`request_fields`]; [`child`] that of a `tracing` span inside of it,
//!   whose [`fields`] [`internal`] collects; [`client_span`] that of a call to another service. [`encode`] writes the fields
//!   of protobuf messages by their [`tag`], [`resource`] what stands around the spans of a batch.
//! * [`batch`] is the bounded buffer between requests and the one thread that exports ([`export`]), and [`counts`] what became
//!   of every span; [`transport`] sends one batch once, [`answer`] reads what the receiver says to it, [`retry`] says when to
//!   try again.
//! * [`recorder`] decides at a request's end whether its span is kept ([`keep`]), [`sampler`] at its beginning whether its
//!   trace is sampled.
//! * [`config`] is what people set, by the builder or by the [`environment`], which reads [`variables`] (those of an exporter in
//!   [`exporter_variables`], their forms in [`variable_values`]) and names every [`bad_variable`]; [`endpoint`] reads where
//!   spans go, and [`service_name`] what the service is called.
//! * `decode` (feature `pane`) reads spans back from a batch.

pub(crate) mod answer;
pub(crate) mod bad_variable;
pub(crate) mod batch;
mod child;
pub(crate) mod client_span;
pub(crate) mod config;
pub(crate) mod counts;
#[cfg(feature = "pane")]
pub(crate) mod decode;
mod encode;
mod endpoint;
pub(crate) mod environment;
pub(crate) mod export;
mod exporter_variables;
mod fields;
pub(crate) mod internal;
pub(crate) mod keep;
pub(crate) mod recorder;
mod request_fields;
pub(crate) mod resource;
mod retry;
pub(crate) mod sampler;
mod service_name;
pub(crate) mod span;
mod tag;
pub(crate) mod transport;
mod variable_values;
mod variables;
