//! Where the middleware sits: one endpoint of an instrumented router.

use std::sync::{Arc, OnceLock};

use axum::extract::MatchedPath;
use http::Request;

use crate::metrics::endpoint::{Endpoint, Route, method_index};
use crate::metrics::series::UNMATCHED;
use crate::telemetry::Shared;

/// One endpoint of a router, and the route of its requests. Most endpoints have exactly one, so the first request finds
/// it for all others.
///
/// A request holds this one handle instead of one of the telemetry and one of its series: axum makes it anew for every
/// connection, so the cores do not fight for its reference count.
pub(crate) struct Mount {
    pub(crate) telemetry: Arc<Shared>,
    route: OnceLock<Arc<Route>>,
}

/// Where the endpoint of a request is.
pub(crate) enum Found {
    /// Under the mount's own route and this method.
    Own(usize),
    /// Elsewhere: another route than the first one, or a series past the limit.
    Other(Arc<Endpoint>),
}

impl Mount {
    pub(crate) fn new(telemetry: &Arc<Shared>) -> Arc<Self> {
        Arc::new(Self { telemetry: Arc::clone(telemetry), route: OnceLock::new() })
    }

    /// Finds the endpoint of a request, or makes it.
    pub(crate) fn find<B>(&self, request: &Request<B>) -> Found {
        let method = method_index(request.method());
        let mounted;
        let name = match request.extensions().get::<MatchedPath>() {
            Some(path) => path.as_str(),
            None => {
                mounted = mounted_at(&self.telemetry, request.uri().path());
                mounted.as_deref().unwrap_or(UNMATCHED)
            }
        };
        let http = &self.telemetry.http;
        // Compared by text: nested routers make a new string for every request.
        if let Some(own) = self.route.get().filter(|own| own.name() == name) {
            return match own.endpoint(method) {
                Some(_) => Found::Own(method),
                None => Found::Other(http.endpoint(own, method)),
            };
        }
        let route = http.route(name);
        if self.route.get().is_none() && http.keeps(&route) {
            let _ = self.route.set(Arc::clone(&route));
        }
        Found::Other(http.endpoint(&route, method))
    }

    /// The endpoint that was [found](Self::find) here.
    pub(crate) fn endpoint<'a>(&'a self, found: &'a Found) -> &'a Endpoint {
        match found {
            Found::Own(method) => {
                let own = self.route.get().and_then(|route| route.endpoint(*method));
                own.expect("what was found stays: neither the route nor its endpoints are ever taken away")
            }
            Found::Other(endpoint) => endpoint,
        }
    }
}

/// The label of a request that a `nest_service` got: axum has no template for it, the builder knows the prefix.
fn mounted_at(telemetry: &Shared, path: &str) -> Option<String> {
    let below = |prefix: &&String| {
        path.strip_prefix(prefix.trim_end_matches('/')).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let prefix = telemetry.mounted.iter().filter(below).max_by_key(|prefix| prefix.len())?;
    Some(format!("{}/{{*path}}", prefix.trim_end_matches('/')))
}
