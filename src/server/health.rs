//! `/healthz` and `/readyz`. Without timeout and body limit: they answer from memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{HeaderValue, StatusCode, header};
use redpane::problem::Problem;
use serde_json::json;

/// Routes with `GET` that every server has beside its own, to be preregistered.
pub const PROBES: [&str; 2] = ["/healthz", "/readyz"];

/// Where the metrics are. They are shown whatever memory is held.
pub(super) const METRICS: &str = "/metrics";

/// Whether a path tells how the process is. Such requests are served when there is no memory for others.
pub(super) fn is_about_it(path: &str) -> bool {
    path == METRICS || PROBES.contains(&path)
}

/// Bytes of the longest beginning that [`is_asked_by`] looks for.
pub(super) const LONGEST: usize = "GET /metrics ".len();

/// Whether a request of HTTP/1 that begins with these bytes asks how the process is.
pub(super) fn is_asked_by(head: &[u8]) -> bool {
    let target = head.strip_prefix(b"GET ").and_then(|rest| rest.split(|byte| b" ?".contains(byte)).next());
    target.and_then(|path| str::from_utf8(path).ok()).is_some_and(is_about_it)
}

/// Whether this process wants new requests. Clones share one value. It changes once, at the first signal.
#[derive(Debug, Clone, Default)]
pub(super) struct Readiness {
    is_over: Arc<AtomicBool>,
}

impl Readiness {
    /// From now on `/readyz` answers 503.
    pub(super) fn end(&self) {
        self.is_over.store(true, Ordering::Release);
    }

    fn is_ready(&self) -> bool {
        !self.is_over.load(Ordering::Acquire)
    }
}

/// `GET /healthz` (200 while the process lives) and `GET /readyz` (503 from the first signal on).
pub(super) fn router(readiness: &Readiness) -> Router {
    Router::new()
        .route("/healthz", get(|| async { uncached(Json(json!({"status": "alive"}))) }))
        .route("/readyz", get(ready))
        .with_state(readiness.clone())
}

async fn ready(State(readiness): State<Readiness>) -> Response {
    if readiness.is_ready() { uncached(Json(json!({"status": "ready"}))) } else { shutting_down().await }
}

/// The answer of a process that ends.
pub(super) async fn shutting_down() -> Response {
    uncached(Problem::new(StatusCode::SERVICE_UNAVAILABLE).detail("shutting down: send requests to another replica"))
}

/// A probe through a cache must not see an old answer.
fn uncached(answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_how_the_process_is() {
        for asking in ["GET /healthz HTTP/1.1\r\n", "GET /readyz ", "GET /metrics?name=a HTTP/1.1", "GET /metrics "] {
            assert!(is_asked_by(asking.as_bytes()), "{asking}");
            assert!(is_asked_by(&asking.as_bytes()[..asking.len().min(LONGEST)]), "{asking}");
        }
        for other in
            ["", "GET", "GET /hello/a HTTP/1.1", "POST /healthz ", "GET /metricsx", "PRI * HTTP/2.0", "GET /\u{e9} "]
        {
            assert!(!is_asked_by(other.as_bytes()), "{other}");
        }
    }
}
