//! Error answers as `application/problem+json` (RFC 9457), with the trace id that finds their log lines.

use std::error::Error;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

use crate::request::problem;
use crate::request::record::Cause;

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
    retry_after: Option<Duration>,
    cause: Option<Cause>,
}

impl Problem {
    /// An answer with this status and the status's own phrase as its title.
    #[must_use]
    pub fn new(status: StatusCode) -> Self {
        Self { status, detail: None, retry_after: None, cause: None }
    }

    /// Says what was wrong with this very request, and what would be right.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Says when it is worth asking again, in whole seconds, as `Retry-After` (RFC 9110, section 10.2.3). Parts of a second
    /// count as one.
    #[must_use]
    pub fn retry_after(mut self, time: Duration) -> Self {
        self.retry_after = Some(time);
        self
    }

    /// Says why in the log, and not in the answer: the error and its sources become the field `error` of the access line, and
    /// the name of its type `error_type`, as [`record_error`](crate::record_error()) does it. Of an `anyhow::Error` or a boxed
    /// error the name is not known.
    ///
    /// ```
    /// # use http::StatusCode;
    /// # use redpane::problem::Problem;
    /// # fn charge() -> Result<(), std::io::Error> { Ok(()) }
    /// async fn order() -> Result<&'static str, Problem> {
    ///     charge().map_err(|error| Problem::new(StatusCode::BAD_GATEWAY).source(error))?;
    ///     Ok("taken")
    /// }
    /// ```
    #[must_use]
    pub fn source(mut self, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(Cause::of(error));
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
        if let Some(cause) = self.cause {
            cause.record();
        }
        let text = problem::json(self.status, self.detail.as_deref());
        let mut response = (self.status, [(header::CONTENT_TYPE, problem::CONTENT_TYPE)], text).into_response();
        if let Some(time) = self.retry_after {
            let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
