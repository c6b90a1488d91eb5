//! How far a request may still go.

use std::fmt;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, header};

/// The most services below the first one.
pub(super) const MOST: u32 = 8;
/// Where it is said to the next service (RFC 9110, section 7.6.2).
pub(super) const HEADER: HeaderName = header::MAX_FORWARDS;

/// Services that a request may still go on to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hops(u32);

impl Hops {
    /// What the caller leaves. [`MOST`] where it says nothing that can be used, and at most that.
    pub(super) fn left(headers: &HeaderMap) -> Self {
        let given = headers.get(HEADER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        Self(given.unwrap_or(MOST).min(MOST))
    }

    /// What is left for the next service; `None` where there is no way on.
    pub(super) fn spend(self) -> Option<Self> {
        self.0.checked_sub(1).map(Self)
    }

    pub(super) fn to_header(self) -> HeaderValue {
        self.0.into()
    }

    /// How long to wait for the next service, of the time that this one has for its answer. The fewer hops are left the
    /// shorter: where the last service hangs, the one before it gives up first and says so, and the ones above have the
    /// time to hand that on. This holds where all have the same timeout.
    pub(super) fn time_to_wait(self, timeout: Duration) -> Duration {
        timeout * (self.0 + 1) / (MOST + 1)
    }
}

/// A request has gone through too many services.
#[derive(Debug)]
pub(super) struct TooMany;

impl fmt::Display for TooMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the request may not go on (Max-Forwards is 0; it begins with {MOST}): REDPANE_UPSTREAM of one of the services leads \
             back to an earlier one"
        )
    }
}

impl std::error::Error for TooMany {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_leaves_one_less() {
        let left = |value: &str| Hops::left(&HeaderMap::from_iter([(HEADER, value.parse().expect("a value"))]));
        assert_eq!(Hops::left(&HeaderMap::new()), Hops(MOST));
        assert_eq!((left("3"), left(" 0"), left("4000000000")), (Hops(3), Hops(0), Hops(MOST)));
        assert_eq!((left("-1"), left("many"), left("99999999999")), (Hops(MOST), Hops(MOST), Hops(MOST)));
        assert_eq!((Hops(1).spend(), Hops(0).spend()), (Some(Hops(0)), None));
    }

    #[test]
    fn whoever_is_nearer_to_the_end_gives_up_earlier() {
        let waits: Vec<_> = (0..MOST).map(|left| Hops(left).time_to_wait(Duration::from_secs(30))).collect();
        assert!(waits.is_sorted() && waits[0] > Duration::from_secs(3), "{waits:?}");
        assert!(waits.iter().all(|wait| *wait < Duration::from_secs(27)), "time is left for the answer: {waits:?}");
    }
}
