//! The layer, and how an endpoint finds its route.

use std::sync::{Arc, OnceLock};

use axum::extract::MatchedPath;
use http::Request;
use tower_layer::Layer;

use super::service::Instrument;
use crate::metrics::endpoint::{Endpoint, Route, method_index};
use crate::metrics::series::UNMATCHED;
use crate::telemetry::Shared;

/// Wraps each endpoint of a router in an [`Instrument`].
#[derive(Clone)]
pub(crate) struct InstrumentLayer {
    telemetry: Arc<Shared>,
}

impl InstrumentLayer {
    pub(crate) fn new(telemetry: &Arc<Shared>) -> Self {
        Self { telemetry: Arc::clone(telemetry) }
    }
}

/// axum may call this for every connection: it only makes an empty memory, and registers nothing.
impl<S> Layer<S> for InstrumentLayer {
    type Service = Instrument<S>;

    fn layer(&self, inner: S) -> Instrument<S> {
        Instrument { inner, telemetry: Arc::clone(&self.telemetry), route: RouteCache::default() }
    }
}

/// Remembers the route of an endpoint. Most endpoints have exactly one, so the first request finds it for all others;
/// compared by text, since nested routers make a new string for every request.
#[derive(Clone, Default)]
pub(super) struct RouteCache(Arc<OnceLock<Arc<Route>>>);

impl RouteCache {
    pub(super) fn endpoint<B>(&self, telemetry: &Shared, request: &Request<B>) -> Arc<Endpoint> {
        let method = method_index(request.method());
        let mounted;
        let name = match request.extensions().get::<MatchedPath>() {
            Some(path) => path.as_str(),
            None => {
                mounted = mounted_at(telemetry, request.uri().path());
                mounted.as_deref().unwrap_or(UNMATCHED)
            }
        };
        let known = self.0.get();
        match known {
            Some(route) if route.name() == name => telemetry.http.endpoint(route, method),
            _ => {
                let route = telemetry.http.route(name);
                if known.is_none() && telemetry.http.keeps(&route) {
                    let _ = self.0.set(Arc::clone(&route));
                }
                telemetry.http.endpoint(&route, method)
            }
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
