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

#[cfg(test)]
mod tests {
    use super::*;

    const LAST_SECOND: &str = "Fri, 31 Dec 9999 23:59:59 GMT";

    #[test]
    fn no_time_is_a_panic_and_each_has_29_bytes() {
        let at = |seconds| fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(at(951_782_400), "Tue, 29 Feb 2000 00:00:00 GMT");
        assert_eq!(at(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!([at(LAST), at(LAST + 1)], [LAST_SECOND; 2]);
        assert_eq!(fmt_http_date(UNIX_EPOCH - Duration::from_secs(1)), at(0));
    }

    #[test]
    fn three_forms_are_read() {
        let time = UNIX_EPOCH + Duration::from_secs(784_111_777);
        let forms = ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"];
        assert_eq!(forms.map(parse_http_date), [Ok(time); 3]);
        let last = LAST_SECOND.parse::<HttpDate>().expect("a date");
        assert_eq!(
            (last.to_string().as_str(), SystemTime::from(last)),
            (LAST_SECOND, UNIX_EPOCH + Duration::from_secs(LAST))
        );
        for wrong in ["", "tomorrow", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06 Nov 1994 24:49:37 GMT"] {
            assert!(parse_http_date(wrong).is_err(), "{wrong}");
        }
    }
}
