//! The route of one endpoint's requests, found once for all of them.

use std::panic::PanicHookInfo;
use std::sync::{Arc, OnceLock};

use http::Request;

use super::pipeline::Pipeline;
use super::route_label::is_grpc_path;
use crate::logs::flush_guard::FlushGuard;
use crate::logs::panics;
use crate::metrics::dimensions::Dimensions;
use crate::metrics::grpc::GrpcSeries;
use crate::metrics::http::Series;
use crate::metrics::route::{OVERFLOW, Route, UNMATCHED};
use crate::request::context::{RequestContext, RequestTelemetry, TraceSampler};
use crate::request::method::method_index;
use crate::request::promoted_names::PromotedNames;

/// A wrapped service, and the route of its requests. Inside of a router most endpoints have exactly one, so the first
/// request finds it for all others.
///
/// A request holds this one handle instead of one of the telemetry and one of its series: axum makes it anew for every
/// connection, which avoids reference-count contention.
pub(crate) struct RouteCache {
    pub(super) pipeline: Arc<Pipeline>,
    _flush: Arc<FlushGuard>,
    route: OnceLock<CachedRoute>,
}

struct CachedRoute {
    route: Arc<Route>,
    failures_only: bool,
}

/// Where a request is counted.
pub(super) struct Endpoint {
    pub(super) series: RequestSeries,
    /// Its route logs failures only, as far as the route is known.
    pub(super) failures_only: bool,
    /// It may be a call of a gRPC method.
    pub(super) is_grpc: bool,
}

/// The series of a request, or a gRPC call whose answer tells it.
pub(super) enum RequestSeries {
    Known(Series),
    GrpcCall(Box<GrpcCall>),
}

/// A call of a gRPC method that is not known yet. Anybody can send such a request to anything: its path becomes a label
/// with the first answer that a method gave.
pub(super) struct GrpcCall {
    path: Box<str>,
    /// The label of a request that is no call of a method.
    other_label: Box<str>,
    dimension: usize,
}

/// What a gRPC call turned out to call.
pub(super) enum Callee {
    /// A method, which its path names.
    Method,
    /// A server of gRPC that refused it: nobody knows whether there is such a method.
    Unknown,
    /// Something else, or nobody knows.
    NotGrpc,
}

impl RouteCache {
    pub(super) fn new(pipeline: &Arc<Pipeline>, flush: &Arc<FlushGuard>) -> Arc<Self> {
        Arc::new(Self { pipeline: Arc::clone(pipeline), _flush: Arc::clone(flush), route: OnceLock::new() })
    }

    /// Finds where a request is counted, or makes its series. `combination` is that of its declared labels.
    pub(super) fn find<B>(&self, request: &Request<B>, is_grpc: bool, combination: usize) -> Endpoint {
        let dimension = Dimensions::number(method_index(request.method()), combination);
        let path = request.uri().path();
        let grpc = is_grpc && is_grpc_path(path);
        let http = &self.pipeline.registry.http;
        if grpc && let Some(route) = http.known_route(path) {
            let series = http.series(&route, dimension);
            let failures_only = http.logs_failures_only(&series);
            return Endpoint { series: RequestSeries::Known(series), failures_only, is_grpc: true };
        }
        let label = self.pipeline.labels.of(request);
        if grpc {
            let other_label = (*label).into();
            let call = Box::new(GrpcCall { path: path.into(), other_label, dimension });
            return Endpoint { series: RequestSeries::GrpcCall(call), failures_only: false, is_grpc: true };
        }
        let (series, failures_only) = self.series(&label, dimension);
        Endpoint { series: RequestSeries::Known(series), failures_only, is_grpc: false }
    }

    /// The series of a gRPC call, where it is known what it called.
    pub(super) fn call_series(&self, call: &GrpcCall, callee: Callee) -> Series {
        let name = match callee {
            Callee::Method => &call.path,
            Callee::Unknown => UNMATCHED,
            Callee::NotGrpc => &call.other_label,
        };
        self.series(name, call.dimension).0
    }

    /// The calls of the gRPC method whose requests are counted there. A method is known from its first answer on, which is
    /// gRPC's; other answers, and none, say nothing of it.
    pub(super) fn grpc_method(&self, series: &Series, is_answer: bool) -> Option<Arc<GrpcSeries>> {
        let registry = &self.pipeline.registry;
        let route = match series {
            Series::Own(_) => &registry.http.endpoint(series).0.route,
            Series::Overflow(..) => OVERFLOW,
        };
        if is_answer { Some(registry.grpc.method(route)) } else { registry.grpc.known(route) }
    }

    /// The series of a route's name, and whether that route logs failures only.
    fn series(&self, name: &str, dimension: usize) -> (Series, bool) {
        let http = &self.pipeline.registry.http;
        // Compared by text: nested routers make a new string for every request.
        if let Some(own) = self.route.get().filter(|own| own.route.name() == name) {
            return (http.series(&own.route, dimension), own.failures_only);
        }
        let route = http.route(name);
        let series = http.series(&route, dimension);
        let failures_only = http.logs_failures_only(&series);
        if self.route.get().is_none() && http.keeps(&route) {
            let _ = self.route.set(CachedRoute { route, failures_only });
        }
        (series, failures_only)
    }
}

impl RequestTelemetry for RouteCache {
    fn sampler(&self) -> Option<&dyn TraceSampler> {
        self.pipeline.spans.as_ref().map(|spans| spans.sampler())
    }

    fn promoted(&self) -> Option<&Arc<PromotedNames>> {
        self.pipeline.promoted.as_ref()
    }

    fn recorder(&self) -> &dyn metrics::Recorder {
        &self.pipeline.registry.recorder
    }

    fn log_panic(&self, context: &RequestContext, panic: &PanicHookInfo<'_>) {
        panics::write(&self.pipeline.log, Some(context), panic);
    }
}
