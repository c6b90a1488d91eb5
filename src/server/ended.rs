//! How a server ended, and the line that says so.

use crate::log_targets::SERVER;

/// Why the wait for requests in flight was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Nothing was left to wait for.
    Drained,
    /// A second signal.
    SecondSignal,
    /// `REDPANE_SHUTDOWN_GRACE` ran out.
    Deadline,
}

/// How a service ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// What ended the wait.
    pub cause: Cause,
    /// Requests that were being answered and were cut off. Always 0 after [`Cause::Drained`].
    pub cut: u64,
}

impl Ended {
    pub(super) fn log(&self) {
        let cut = self.cut;
        let why = match self.cause {
            Cause::Drained => return tracing::info!(target: SERVER, cut, "shut down: every request was answered"),
            Cause::SecondSignal => "a second signal",
            Cause::Deadline => "the shutdown grace ran out",
        };
        if cut == 0 {
            tracing::info!(target: SERVER, cut, why, "shut down early: no request was cut");
        } else {
            tracing::warn!(target: SERVER, cut, why, "shut down early: {cut} requests were cut");
        }
    }
}
