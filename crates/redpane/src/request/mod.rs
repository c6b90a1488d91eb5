//! What is known of a request, and how it reaches the code that runs for it.
//!
//! * [`headers`] finds the headers that an observation reads; [`head`], [`id`] and [`size`] are what is kept of a request, and [`method`] is its method by name.
//! * [`context`] holds the ids and the recorded [`fields`]; [`current`] is the context of the code on this thread, and
//!   [`tasks`] takes it into spawned work. [`record`](mod@record) adds fields from anywhere inside a request.
//! * [`promoted_names`] are the fields of `tracing` spans that become fields of the request, where the builder says so, and
//!   [`outside_spans`] those spans that are around requests.
//! * [`ids_from`] asks an SDK of the application's for ids, where the builder says so. [`outgoing`] are the headers for calls.
//! * [`endpoint`] is the method and route of a request, described once for all requests that share it.
//! * [`finished`] is the one value that describes a request at its end: metrics, log lines and observers are made from it;
//!   [`observer`] is what an application sees it with.
//! * [`call`] is the same for a call to another service.
//! * `child_spans` (feature `otlp`) keeps the spans inside of a request until its end.
//! * [`grpc`] knows the codes of gRPC, [`grpc_method`] are methods as the application declares them, and [`accept`] what a client accepts.
//! * [`stream`] is what goes on after a request that ended at its headers, and [`last_handle`] is told when nothing of it is left.
//! * [`problem`] is the text of error answers.

pub(crate) mod accept;
pub(crate) mod call;
#[cfg(feature = "otlp")]
pub(crate) mod child_spans;
pub(crate) mod context;
pub(crate) mod current;
pub(crate) mod endpoint;
#[cfg(feature = "otlp")]
pub(crate) mod entered_spans;
pub(crate) mod error_chain;
pub(crate) mod fields;
pub(crate) mod finished;
pub(crate) mod grpc;
pub(crate) mod grpc_method;
pub(crate) mod head;
pub(crate) mod headers;
pub(crate) mod id;
pub(crate) mod ids_from;
pub(crate) mod last_handle;
pub(crate) mod method;
pub(crate) mod observer;
pub(crate) mod outgoing;
pub(crate) mod outside_spans;
pub(crate) mod problem;
pub(crate) mod promoted_names;
pub(crate) mod record;
pub(crate) mod size;
pub(crate) mod stream;
pub(crate) mod tasks;
