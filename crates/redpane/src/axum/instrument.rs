//! Instrumenting a router, and serving its metrics.

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use http::{HeaderMap, Method, StatusCode};

use super::problem::Problem;
use crate::builder::Redpane;
use crate::metrics::scrape;
use crate::request::error_chain::ErrorChain;
use crate::telemetry::Telemetry;

impl Redpane {
    /// The one line: metrics, access log, trace ids and `/metrics` for this router. Call it last: routes, fallbacks and
    /// routers that are added to the result (`route`, `fallback`, `merge`, `nest`) are not observed.
    ///
    /// # Panics
    /// With the text of [`ConfigError`](crate::ConfigError) if an option is bad ([`build`](Self::build) returns it
    /// instead), and as axum does if the router has a route at the metrics path already.
    pub fn instrument<S: Clone + Send + Sync + 'static>(self, router: Router<S>) -> Router<S> {
        match self.build() {
            Ok(telemetry) => telemetry.instrument(router),
            Err(error) => panic!("redpane: {}", ErrorChain(&error)),
        }
    }
}

impl Telemetry {
    /// Instruments a router and adds the metrics route to it, unless that was switched off. Call it last: routes, fallbacks
    /// and routers that are added to the result (`route`, `fallback`, `merge`, `nest`) are not observed.
    ///
    /// It takes the handle itself, so that it goes before the method of the same name of `tracing::Instrument`, which every
    /// type has where that trait is imported. Clone the handle to keep it; behind a reference, use
    /// `router.layer(telemetry.layer())`.
    ///
    /// # Panics
    /// As axum does, if the router has a route at the metrics path already.
    pub fn instrument<S: Clone + Send + Sync + 'static>(self, router: Router<S>) -> Router<S> {
        let router = match self.has_metrics_route() {
            true => router.route(self.metrics_path(), self.metrics_route()),
            false => router,
        };
        router.layer(self.layer())
    }

    /// A router with the metrics route only, instrumented too, for a listener of its own.
    pub fn metrics_router(&self) -> Router {
        Router::new().route(self.metrics_path(), self.metrics_route()).layer(self.layer())
    }

    fn metrics_route<S: Clone + Send + Sync + 'static>(&self) -> MethodRouter<S> {
        // Not the handle: a route must not keep the process from writing its last lines.
        let registry = self.scraped();
        let answer = move |headers: HeaderMap| async move { scrape::answer(registry, &headers).await.map(Body::from) };
        // The application's own fallback, set before this route came, does not reach it.
        get(answer).fallback(wrong_method)
    }
}

/// Answers a method that is neither GET nor HEAD; axum adds the `Allow` header.
async fn wrong_method(method: Method) -> Response {
    let method: String = method.as_str().chars().take(40).collect();
    let detail = format!("{method} is not possible here: metrics are read with GET or HEAD");
    Problem::new(StatusCode::METHOD_NOT_ALLOWED).detail(detail).into_response()
}
