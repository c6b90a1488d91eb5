//! The demo API: what a user of this crate replaces with an API of their own.

mod body;
mod echo;
mod faults;
mod hello;
pub(crate) mod json_body;
mod root;

use std::time::Duration;

use axum::body::HttpBody;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use http::{Method, StatusCode, Uri};
use tower::ServiceBuilder;
use tower_http::timeout::TimeoutLayer;

use redpane::TimedOut;
use redpane::problem::Problem;
use crate::server::Config;

/// All methods and routes of the API, to be announced to the metrics: their series exist from the first scrape on.
///
/// `HEAD`, which axum answers with every `GET` route, is left out: it would add a third to the series for requests that
/// hardly anybody sends.
#[must_use]
pub fn routes(with_faults: bool) -> Vec<(Method, &'static str)> {
    let mut routes = vec![(Method::GET, "/"), (Method::GET, "/hello/{name}"), (Method::POST, "/echo")];
    if with_faults {
        routes.extend(faults::routes());
    }
    routes
}

/// The API without probes, metrics and fallbacks.
pub fn router(config: &Config) -> Router {
    let mut router = Router::new()
        .route("/", get(root::answer))
        .route("/hello/{name}", get(hello::answer))
        .route("/echo", post(echo::answer))
        .with_state(State { started: std::time::Instant::now(), body_limit: config.body_limit });
    if config.faults {
        router = faults::mount(router, config.body_limit);
    }
    with_timeout(router, config.request_timeout)
}

/// What the handlers of the API share.
#[derive(Debug, Clone)]
struct State {
    started: std::time::Instant,
    /// Bytes.
    body_limit: usize,
}

/// Answers 503 where a route of `router` has not begun its answer within `limit`. Probes and metrics stay outside: when
/// everything else hangs they are what tells why.
pub(crate) fn with_timeout(router: Router, limit: Duration) -> Router {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let explain = move |response: Response| {
        // The layer answers with a bare status. Whatever a handler answers with this status says why.
        let is_bare = response.status() == status && response.body().is_end_stream();
        if !is_bare {
            return response;
        }
        let detail = format!("no answer within {}", humantime::format_duration(limit));
        (Extension(TimedOut), Problem::new(status).detail(detail)).into_response()
    };
    router.layer(ServiceBuilder::new().map_response(explain).layer(TimeoutLayer::with_status_code(status, limit)))
}

/// Unknown paths and wrong methods get an error body like every other error. To be called on the complete router.
pub(crate) fn with_problem_fallbacks(router: Router) -> Router {
    router.fallback(not_found).method_not_allowed_fallback(method_not_allowed)
}

async fn not_found(uri: Uri) -> Response {
    let path: String = uri.path().chars().take(200).collect();
    Problem::new(StatusCode::NOT_FOUND).detail(format!("there is nothing at {path}")).into_response()
}

async fn method_not_allowed(method: Method) -> Response {
    let method: String = method.as_str().chars().take(40).collect();
    let detail = format!("{method} is not possible here; the Allow header says what is");
    Problem::new(StatusCode::METHOD_NOT_ALLOWED).detail(detail).into_response()
}
