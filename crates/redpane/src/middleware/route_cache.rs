//! The route of one endpoint's requests, found once for all of them.

use std::panic::PanicHookInfo;
use std::sync::{Arc, OnceLock};

use http::{Method, Request};

use super::pipeline::Pipeline;
use super::route_label::RouteLabel;
use crate::logs::flush_guard::FlushGuard;
use crate::logs::panics;
use crate::metrics::http::Series;
use crate::metrics::method::method_index;
use crate::metrics::route::{Route, UNMATCHED};
use crate::request::context::{Host, RequestContext};

/// A wrapped service, and the route of its requests. Inside of a router most endpoints have exactly one, so the first
/// request finds it for all others.
///
/// A request holds this one handle instead of one of the telemetry and one of its series: axum makes it anew for every
/// connection, which avoids reference-count contention.
pub(crate) struct RouteCache {
    pub(super) pipeline: Arc<Pipeline>,
    _flush: Arc<FlushGuard>,
    route: OnceLock<Arc<Route>>,
}

/// The series of a request, or the path of a gRPC call whose answer tells whether there is such a method.
pub(super) enum Found {
    Series(Series),
    GrpcPath(Box<str>, usize),
}

impl RouteCache {
    pub(super) fn new(pipeline: &Arc<Pipeline>, flush: &Arc<FlushGuard>) -> Arc<Self> {
        Arc::new(Self { pipeline: Arc::clone(pipeline), _flush: Arc::clone(flush), route: OnceLock::new() })
    }

    /// Finds where a request is counted, or makes its series.
    pub(super) fn find<B>(&self, request: &Request<B>, is_grpc: bool) -> Found {
        let method = method_index(request.method());
        match self.pipeline.labels.of(request, is_grpc) {
            RouteLabel::Known(name) => Found::Series(self.series(name, method)),
            RouteLabel::Owned(name) => Found::Series(self.series(&name, method)),
            RouteLabel::Grpc(path) => match self.pipeline.registry.http.known_route(path) {
                Some(route) => Found::Series(self.pipeline.registry.http.series(&route, method)),
                None => Found::GrpcPath(path.into(), method),
            },
        }
    }

    /// The series of a route's name.
    pub(super) fn series(&self, name: &str, method: usize) -> Series {
        let http = &self.pipeline.registry.http;
        // Compared by text: nested routers make a new string for every request.
        if let Some(own) = self.route.get().filter(|own| own.name() == name) {
            return http.series(own, method);
        }
        let route = http.route(name);
        if self.route.get().is_none() && http.keeps(&route) {
            let _ = self.route.set(Arc::clone(&route));
        }
        http.series(&route, method)
    }

    /// The series of requests that end before anybody knows their route.
    pub(super) fn unmatched(&self) -> Series {
        self.series(UNMATCHED, method_index(&Method::POST))
    }
}

impl Host for RouteCache {
    fn recorder(&self) -> &dyn metrics::Recorder {
        &self.pipeline.registry.recorder
    }

    fn log_panic(&self, context: &RequestContext, panic: &PanicHookInfo<'_>) {
        panics::write(&self.pipeline.log, Some(context), panic);
    }
}
