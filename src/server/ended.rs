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
    /// Requests whose answers were cut off since the signal. After [`Cause::Drained`], those whose clients did not take them.
    pub cut: u64,
}

impl Ended {
    pub(super) fn log(&self) {
        let cut = self.cut;
        let (how, why) = match self.cause {
            // Not that all were answered: clients may have left.
            Cause::Drained if cut == 0 => return tracing::info!(target: SERVER, cut, "shut down: no request was cut"),
            Cause::Drained => ("shut down", "clients did not take their answers"),
            Cause::SecondSignal => ("shut down early", "a second signal"),
            Cause::Deadline => ("shut down early", "the shutdown grace ran out"),
        };
        if cut == 0 {
            tracing::info!(target: SERVER, cut, why, "{how}: no request was cut");
        } else {
            tracing::warn!(target: SERVER, cut, why, "{how}: {cut} requests were cut");
        }
    }
}
