//! In place of the crate of this name, which hyper dates its answers with, for machines whose clock is not set yet.
//!
//! That one panics over a time before 1970, and with it each connection of a service on such a machine
//! (docs/upstream/hyper-date.md). Here such a time is the first second of 1970, and one after 9999 the last of that year.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Seconds from 1970 to the last of 9999, the last year that a date of HTTP can have.
const LAST: u64 = 253_402_300_799;

/// A time in whole seconds, shown in the form that RFC 9110, section 5.6.7, prefers: `Sun, 06 Nov 1994 08:49:37 GMT`.
#[derive(Copy, Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct HttpDate(u64);

impl From<SystemTime> for HttpDate {
    fn from(time: SystemTime) -> Self {
        let since_1970 = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Self(since_1970.as_secs().min(LAST))
    }
}

impl fmt::Display for HttpDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 29];
        date_header::format(self.0, &mut text).map_err(|_| fmt::Error)?;
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl From<HttpDate> for SystemTime {
    fn from(HttpDate(since_1970): HttpDate) -> Self {
        UNIX_EPOCH + Duration::from_secs(since_1970)
    }
}

impl FromStr for HttpDate {
    type Err = Error;

    /// Reads any of the three forms of RFC 9110, section 5.6.7.
    fn from_str(text: &str) -> Result<Self, Error> {
        date_header::parse(text.as_bytes()).map(|since_1970| Self(since_1970.min(LAST))).map_err(|_| Error(()))
    }
}

/// Shows a time as [`HttpDate`] does.
#[must_use]
pub fn fmt_http_date(time: SystemTime) -> String {
    HttpDate::from(time).to_string()
}

/// Reads any of the three forms of RFC 9110, section 5.6.7.
///
/// # Errors
/// When the text has none of them.
pub fn parse_http_date(text: &str) -> Result<SystemTime, Error> {
    text.parse::<HttpDate>().map(Into::into)
}

/// A text that is no date of HTTP.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Error(());

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no date of HTTP, such as \"Sun, 06 Nov 1994 08:49:37 GMT\"")
    }
}

impl std::error::Error for Error {}

impl From<Error> for std::io::Error {
    fn from(error: Error) -> Self {
        Self::other(error)
    }
}
