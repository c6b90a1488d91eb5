//! Why the next service gave no answer that can be used.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use http::StatusCode;
use tower::BoxError;

/// The most characters of what the next service says of its own failure, and of what a failure is answered with.
const MAX_DETAIL: usize = 1000;

/// The next service gave no answer that can be used.
#[derive(Debug)]
pub(super) struct NextError {
    /// What was asked.
    pub(super) url: String,
    pub(super) reason: Reason,
}

#[derive(Debug)]
pub(super) enum Reason {
    /// The connection, or no HTTP.
    NoAnswer(BoxError),
    /// It took longer than it may.
    Slow(Duration),
    /// It answered, but not with success. With what it said of it.
    Status(StatusCode, Option<String>),
    /// Its body broke off.
    Broken(BoxError),
    /// Its body has more bytes than this.
    TooLong(usize),
    NotCheckedOut(serde_json::Error),
    OutOfBounds,
}

impl NextError {
    /// The error and its causes in one line.
    pub(super) fn with_causes(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            text.extend([": ", &error.to_string()]);
            cause = error.source();
        }
        text.chars().take(MAX_DETAIL).collect()
    }
}

impl fmt::Display for NextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.url)?;
        match &self.reason {
            Reason::NoAnswer(_) => f.write_str("gave no answer"),
            Reason::Slow(limit) => {
                let whole = Duration::from_millis(limit.as_millis().try_into().unwrap_or(u64::MAX));
                write!(f, "did not answer within {}", humantime::format_duration(whole))
            }
            Reason::Status(status, None) => write!(f, "answered {status}"),
            Reason::Status(status, Some(detail)) => {
                let detail: String = detail.chars().take(MAX_DETAIL).collect();
                write!(f, "answered {status}: {detail}")
            }
            Reason::Broken(_) => f.write_str("broke off its answer"),
            Reason::TooLong(most) => write!(f, "answered with more than {most} bytes"),
            Reason::NotCheckedOut(_) => f.write_str("answered with something else than the JSON of /checkout"),
            Reason::OutOfBounds => f.write_str("answered with more services, or longer names, than there can be"),
        }
    }
}

impl Error for NextError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.reason {
            Reason::NoAnswer(error) | Reason::Broken(error) => Some(&**error),
            Reason::NotCheckedOut(error) => Some(error),
            _ => None,
        }
    }
}
