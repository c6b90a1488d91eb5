//! The request timeout.

use std::time::Duration;

use axum::body::HttpBody;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use http::StatusCode;
use redpane::TimedOut;
use redpane::problem::Problem;
use tower::ServiceBuilder;
use tower_http::timeout::TimeoutLayer;

/// Answers 503 where a route of `router` has not begun its answer within `limit`. Probes and metrics stay outside: when
/// everything else hangs they tell why.
pub(crate) fn with_timeout(router: Router, limit: Duration) -> Router {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let explain = move |response: Response| {
        // The layer answers with an empty body. A handler that answers with this status sends a body that says why.
        let is_of_layer = response.status() == status && response.body().is_end_stream();
        if !is_of_layer {
            return response;
        }
        let detail = format!("no answer within {}", humantime::format_duration(limit));
        (Extension(TimedOut), Problem::new(status).detail(detail)).into_response()
    };
    router.layer(ServiceBuilder::new().map_response(explain).layer(TimeoutLayer::with_status_code(status, limit)))
}
