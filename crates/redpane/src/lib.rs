//! One line instruments an [`axum`] application: RED metrics, an access log in JSON, W3C trace ids and `/metrics`.
//!
//! ```
//! use axum::{Router, routing::get};
//! use redpane::Redpane;
//!
//! let app: Router = Redpane::new("api").instrument(Router::new().route("/", get(|| async { "hello" })));
//! ```
//!
//! Every request that reaches the router is then counted once and logged once, whatever ends it: a complete answer, a
//! client that leaves, a panic, a body that breaks, a timeout. The metric sample and the log line come from the same
//! observation, so they cannot disagree.
//!
//! # What lives where
//!
//! | to | use |
//! |---|---|
//! | change buckets, paths, limits, log output | the methods of [`Redpane`] |
//! | also log `tracing` events and count `metrics` macros outside of requests | [`Redpane::install`] |
//! | keep your own `tracing` subscriber | [`Telemetry::log_layer`] |
//! | serve `/metrics` on a second listener | [`Redpane::without_metrics_route`], [`Telemetry::metrics_router`] |
//! | know the ids of the request, call the next service with them | [`RequestContext`], [`current`] |
//! | keep the ids in spawned work | [`spawn`], [`spawn_blocking`], [`in_current_request`] |
//! | answer errors as problem+json with the trace id | [`problem::Problem`] |
//! | mark an answer as a timeout | [`TimedOut`] |
//!
//! Inside a request, plain `tracing::info!` carries its ids and plain `metrics::counter!` lands in the same `/metrics`.
//!
//! # Inside
//!
//! Arrows run one way: `instrument` (the tower middleware) uses `request` and `context` (what is known of a request, and
//! who runs for it), `metrics` (counting), `logs` (writing) and `trace_context`; none of them knows the service in
//! `server` and `api`, which is behind the feature `server`.
//! Libraries that depend on redpane switch that off with `default-features = false`.
//!
//! # What a new version may change
//!
//! Semantic versioning holds for everything here but the modules `api` and `server`: those are the service's own, public
//! for its binary and its tests. Types of other crates in this API, whose next breaking version is one of redpane too:
//! `axum` 0.8 (`Router`, extractors, responses), `http` 1, `metrics` 0.24 (its `Recorder`), `tracing` 0.1 with
//! `tracing-subscriber` 0.3 (`Targets`, `Layer`), and tokio 1 (`JoinHandle`). What `/metrics` and log lines say is part of
//! the promise as well.

mod builder;
mod context;
mod install;
mod instrument;
mod logs;
mod metrics;
mod options;
pub mod problem;
mod request;
mod tasks;
mod telemetry;
mod trace_context;

pub use builder::Redpane;
pub use context::{RequestContext, current};
pub use install::InstallError;
pub use instrument::TimedOut;
pub use logs::{FlushError, LogFormat, WhenFull};
pub use metrics::{ExpositionFormat, Recorder};
pub use options::ConfigError;
pub use tasks::{InRequest, in_current_request, spawn, spawn_blocking};
pub use telemetry::Telemetry;
pub use trace_context::{SpanId, TraceId, TraceParent};
