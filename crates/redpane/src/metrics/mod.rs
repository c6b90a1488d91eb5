//! Counting: nothing is queued, nothing is lost, memory grows with label sets only.
//!
//! * [`histogram`] is fixed buckets in sharded atomics ([`shards`]).
//! * [`http`] finds what is counted for a method and route ([`endpoint_series`], kept in an [`arena`]) and bounds how many
//!   there are; [`route`] is where a route's name leads, and [`dimensions`] tell its series apart.
//! * [`calls`] counts calls to other services, [`grpc`] those of gRPC methods, [`streams`] what outlives its request.
//! * [`recorder`] takes what the application emits through the `metrics` macros, under the names of [`shown_key`].
//! * [`otel`] shows the HTTP metrics under OpenTelemetry's names.
//! * [`registry`] is all of it together. It makes a [`snapshot`], which [`encode`] writes as text and [`scrape`] answers
//!   with, one at a time: a [`turn`] is shared by those who wait.

pub(crate) mod arena;
pub(crate) mod calls;
pub(crate) mod catalogue;
pub(crate) mod dimensions;
pub(crate) mod encode;
pub(crate) mod endpoint_series;
pub(crate) mod exemplars;
mod exporter_text;
pub(crate) mod grpc;
pub(crate) mod histogram;
pub(crate) mod http;
pub(crate) mod label_text;
mod names;
mod negotiation;
pub(crate) mod otel;
pub(crate) mod recorder;
pub(crate) mod registry;
pub(crate) mod route;
pub(crate) mod scrape;
pub(crate) mod shards;
mod shown_key;
pub(crate) mod snapshot;
pub(crate) mod streams;
mod turn;
