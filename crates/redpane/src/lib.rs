//! One line instruments an `axum` application: RED metrics, an access log in JSON, W3C trace ids and `/metrics`.
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
//! | observe a service that is no router: hyper, tonic, a stack of layers | [`Telemetry::layer`] |
//! | serve `/metrics` on a second listener, or without axum | `Telemetry::metrics_router`, [`Telemetry::metrics_response`] |
//! | know the ids of the request | [`RequestContext`], [`current`] |
//! | call the next service with them, and count the calls | [`Telemetry::outgoing_layer`] |
//! | add fields and the cause of an error to the access line | [`record()`], [`record_error()`] |
//! | have fields of `tracing` spans on the access line | [`Redpane::promote_span_fields`] |
//! | keep the ids in spawned work | [`spawn()`], [`spawn_blocking`], [`in_current_request`], [`RequestContext::scope`] |
//! | see every request and every stream at its end | [`RequestObserver`] |
//! | change the log filter for a while | [`Telemetry::set_log_filter`] |
//! | see graphs, routes, lines and traces in a browser (feature `pane`) | `Redpane::pane`, `Telemetry::pane_router` |
//! | send a span for every request to a collector (feature `otlp`) | `Redpane::otlp`, `Redpane::otlp_from_env` |
//! | keep OpenTelemetry's SDK, and have its ids in lines, exemplars and headers | [`Redpane::ids_from`] |
//! | answer errors as problem+json with the trace id, and say their cause in the line | `problem::Problem` |
//! | add labels of your own to the request metrics | [`Redpane::label`] |
//! | declare the methods of gRPC services | [`Redpane::grpc_service`] |
//! | have event streams, upgrades and marked routes out of the durations | [`Redpane::observe_until_headers`], [`Redpane::observe_until_end`] |
//! | use dashboards that were made for OpenTelemetry's names | [`Redpane::metric_names`] |
//! | keep a share of the access lines | [`Redpane::access_sample`] |
//! | assert in a test what was counted and logged | [`testing`] |
//! | mark an answer as a timeout | [`TimedOut`] |
//! | tell, from a server of your own, whether an answer was delivered | [`Delivery`] |
//!
//! Inside a request, plain `tracing::info!` carries its ids and plain `metrics::counter!` lands in the same `/metrics`: there
//! it goes before a global recorder of the application's own.
//!
//! # Inside
//!
//! Arrows run one way, and a test holds them: `telemetry`, `builder`, `install` and `axum` on top know every room; then
//! `middleware`, one owner of a request's end, and `client`, one owner of a call's end; then `metrics`, `logs`, `traces` and `pane`,
//! which do not know each other; then `request`, what is known of a request; then `trace_context`. The end of a request makes
//! one [`FinishedRequest`], and the metric sample, the access line and what observers see are made from it.
//!
//! # Features
//!
//! `axum` (default): `Redpane::instrument`, the metrics route, the extractor [`RequestContext`] and
//! `problem::Problem`. Without it the library fits any tower service.
//!
//! `otlp`: `Redpane::otlp`, a span for every request, sent as OTLP over HTTP. `otlp-tls`: to receivers behind `https://`.
//!
//! `tonic`: the layer sees the bodies of requests that tonic's own server got, as it sees axum's: their bytes, and clients that
//! stream. That is a look at one type of tonic 0.14: with another version it sees nothing, as without the feature.
//!
//! `pane`: `Redpane::pane`, a page about the process, served by itself.
//!
//! # What a new version may change
//!
//! Semantic versioning holds for everything here. Types of other crates in this API, whose next breaking version is one of
//! redpane too: `axum` 0.8 (`Router`, extractors, responses), `http` 1, `http-body` 1, `bytes` 1, `metrics` 0.24 (its
//! `Recorder`), `tracing` 0.1 with `tracing-subscriber` 0.3 (`Targets`, `Layer`), and tokio 1 (`JoinHandle`). What
//! `/metrics` and log lines say is part of the promise as well.

#[cfg(feature = "axum")]
mod axum;
mod builder;
pub mod client;
mod install;
mod logs;
mod metrics;
mod middleware;
mod options;
#[cfg(feature = "pane")]
mod pane;
mod request;
mod telemetry;
pub mod testing;
mod trace_context;
#[cfg(feature = "otlp")]
mod traces;

// The programs of the documentation are run with the tests.
#[cfg(all(doctest, feature = "axum"))]
#[doc = include_str!("../../../docs/library.md")]
mod library_md {}
#[cfg(all(doctest, feature = "axum"))]
#[doc = include_str!("../README.md")]
mod readme_md {}

/// Error answers as `application/problem+json` (RFC 9457).
#[cfg(feature = "axum")]
pub mod problem {
    pub use crate::axum::problem::Problem;
}

pub use builder::Redpane;
pub use install::InstallError;
pub use logs::directives::{BadDirective, parse_log_filter};
pub use logs::filter::LogFilterError;
pub use logs::format::LogFormat;
pub use logs::losses::{FlushError, LogLosses, OverflowPolicy};
pub use metrics::encode::ExpositionFormat;
pub use metrics::otel::MetricNames;
pub use metrics::recorder::Recorder;
pub use middleware::body::ResponseBody;
pub use middleware::body_error::ResponseBodyError;
pub use middleware::delivery::Delivery;
pub use middleware::future::{ResponseFuture, TimedOut};
pub use middleware::layer::InstrumentLayer;
pub use middleware::service::InstrumentService;
pub use options::{BadOption, ConfigError};
pub use request::context::RequestContext;
pub use request::current::current;
pub use request::fields::FieldValue;
pub use request::finished::{FinishedRequest, Outcome};
pub use request::grpc_method::GrpcMethod;
pub use request::head::ClientAddr;
pub use request::observer::RequestObserver;
pub use request::record::{record, record_error};
pub use request::stream::FinishedStream;
pub use request::tasks::{InRequest, in_current_request, spawn, spawn_blocking};
pub use telemetry::Telemetry;
pub use trace_context::ids::{InvalidId, SpanId, TraceId};
pub use trace_context::traceparent::TraceParent;
#[cfg(feature = "otlp")]
pub use traces::bad_variable::{BadVariable, EnvironmentError};
#[cfg(feature = "otlp")]
pub use traces::config::Otlp;
#[cfg(feature = "otlp")]
pub use traces::counts::SpanCounts;
#[cfg(feature = "otlp")]
pub use traces::keep::TraceKeep;
#[cfg(feature = "otlp")]
pub use traces::sampler::Sampler;
