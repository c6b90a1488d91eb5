//! Answers where no route matches.

use axum::Router;
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode, Uri};
use redpane::problem::Problem;

/// Answers unknown paths (404) and wrong methods (405) with an error body like every other error. Must be called on the
/// complete router: axum gives the answer for wrong methods only to routes that exist already.
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
