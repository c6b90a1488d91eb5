//! The route of one endpoint's requests, found once for all of them.

use std::any::Any;
use std::panic::PanicHookInfo;
use std::sync::{Arc, OnceLock};

use http::Request;

use super::callee::{Callee, GrpcCall};
use super::pipeline::Pipeline;
use super::route_label::is_grpc_path;
use crate::logs::flush_guard::FlushGuard;
use crate::logs::panics;
use crate::metrics::dimensions::Dimensions;
use crate::metrics::grpc::GrpcSeries;
use crate::metrics::http::Series;
use crate::metrics::route::{OVERFLOW, Route};
use crate::request::context::{RequestContext, RequestTelemetry, TraceSampler};
use crate::request::endpoint::EndpointInfo;
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
    treatment: Treatment,
}

/// How the requests of a route are treated, as far as that is known when they arrive.
#[derive(Clone, Copy, Default)]
pub(super) struct Treatment {
    /// Their lines are written only when they fail.
    pub(super) failures_only: bool,
    /// They end at the headers of their answers.
    pub(super) until_headers: bool,
}

impl Treatment {
    fn of(info: &EndpointInfo) -> Self {
        Self { failures_only: info.log_failures_only, until_headers: info.until_headers }
    }
}

/// Where a request is counted.
pub(super) struct Endpoint {
    pub(super) series: RequestSeries,
    pub(super) treatment: Treatment,
    /// It may be a call of a gRPC method.
    pub(super) is_grpc: bool,
}

/// The series of a request, or a gRPC call whose answer tells it.
pub(super) enum RequestSeries {
    Known(Series),
    GrpcCall(Box<GrpcCall>),
}

impl RouteCache {
    pub(super) fn new(pipeline: &Arc<Pipeline>, flush: &Arc<FlushGuard>) -> Arc<Self> {
        Arc::new(Self { pipeline: Arc::clone(pipeline), _flush: Arc::clone(flush), route: OnceLock::new() })
    }

    /// What the middleware has put beside a request.
    #[inline]
    pub(super) fn of(context: &RequestContext) -> Option<&Self> {
        (context.telemetry() as &dyn Any).downcast_ref()
    }

    /// Finds where a request is counted, or makes its series. `combination` is that of its declared labels.
    pub(super) fn find<B>(&self, request: &Request<B>, is_grpc: bool, combination: usize) -> Endpoint {
        let dimension = Dimensions::number(method_index(request.method()), combination);
        let path = request.uri().path();
        let grpc = is_grpc && is_grpc_path(path);
        let http = &self.pipeline.registry.http;
        if grpc && let Some(route) = http.known_route(path) {
            let series = http.series(&route, dimension);
            let treatment = Treatment::of(http.endpoint(&series).0);
            return Endpoint { series: RequestSeries::Known(series), treatment, is_grpc: true };
        }
        let label = self.pipeline.labels.of(request);
        if grpc {
            let call = Box::new(GrpcCall::new(path, &label, dimension));
            let treatment = Treatment::default();
            return Endpoint { series: RequestSeries::GrpcCall(call), treatment, is_grpc: true };
        }
        let (series, treatment) = self.series(&label, dimension);
        Endpoint { series: RequestSeries::Known(series), treatment, is_grpc: false }
    }

    /// The series of a gRPC call, where it is known what it called.
    pub(super) fn call_series(&self, call: &GrpcCall, callee: Callee) -> Series {
        self.series(call.label(callee), call.dimension).0
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

    /// The series of a route's name, and how its requests are treated.
    fn series(&self, name: &str, dimension: usize) -> (Series, Treatment) {
        let http = &self.pipeline.registry.http;
        // Compared by text: nested routers make a new string for every request.
        if let Some(own) = self.route.get().filter(|own| own.route.name() == name) {
            return (http.series(&own.route, dimension), own.treatment);
        }
        let route = http.route(name);
        let series = http.series(&route, dimension);
        let treatment = Treatment::of(http.endpoint(&series).0);
        if self.route.get().is_none() && http.keeps(&route) {
            let _ = self.route.set(CachedRoute { route, treatment });
        }
        (series, treatment)
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
