//! Memory for clients is short.

use std::fmt;
use std::time::Duration;

use http::StatusCode;
use redpane::problem::Problem;

/// When it is worth asking again: connections that hold much for long are cut after a second.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// There is no room for a request. In its extensions where it must not begin; the error of its body where it has begun.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Busy;

impl Busy {
    /// Whether a body broke off for want of room.
    pub(crate) fn caused(error: &(dyn std::error::Error + 'static)) -> bool {
        std::iter::successors(Some(error), |error| error.source()).any(|error| error.is::<Self>())
    }

    /// 503 (RFC 9110, section 15.6.4) with the time to wait.
    pub(crate) fn problem(self) -> Problem {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE).detail(self.to_string()).retry_after(RETRY_AFTER)
    }
}

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("clients hold as much memory as REDPANE_CLIENT_MEMORY allows; try again later")
    }
}

impl std::error::Error for Busy {}
