//! The request's context as an extractor.

use axum::extract::FromRequestParts;
use http::StatusCode;
use http::request::Parts;

use super::problem::Problem;
use crate::request::context::RequestContext;
use crate::request::current::current;

/// Rejected, with a 500 that says so, only where the router was not instrumented.
impl<S: Sync> FromRequestParts<S> for RequestContext {
    type Rejection = Problem;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Problem> {
        current().ok_or_else(|| {
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR).detail(
                "no request context: the router of this handler is not instrumented; call Redpane::instrument on it",
            )
        })
    }
}
