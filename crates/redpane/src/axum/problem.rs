//! Error answers as `application/problem+json` (RFC 9457), with the trace id that finds their log lines.

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};

use crate::request::problem;

/// One error answer. `type` is left out, which RFC 9457 reads as `about:blank`: the title then is the status's own phrase.
///
/// ```
/// use axum::response::IntoResponse;
/// use http::StatusCode;
/// use redpane::problem::Problem;
///
/// let answer = Problem::new(StatusCode::NOT_FOUND).detail("no order 17; orders run from 1 to 16").into_response();
/// assert_eq!(answer.headers()["content-type"], "application/problem+json");
/// ```
#[derive(Clone, Debug)]
pub struct Problem {
    status: StatusCode,
    detail: Option<String>,
}

impl Problem {
    /// An answer with this status and the status's own phrase as its title.
    #[must_use]
    pub fn new(status: StatusCode) -> Self {
        Self { status, detail: None }
    }

    /// Says what was wrong with this very request, and what would be right.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let text = problem::json(self.status, self.detail.as_deref());
        (self.status, [(header::CONTENT_TYPE, problem::CONTENT_TYPE)], text).into_response()
    }
}
