//! Log lines about connections that cannot be accepted.

use std::io;

use super::every_second::EverySecond;
use crate::log_targets::SERVER;

/// Logs failures of `accept`, at most one line a second: while they last, accepting fails fifty times a second.
#[derive(Default)]
pub(super) struct AcceptErrorLog(EverySecond);

impl AcceptErrorLog {
    /// Counts a failure, and writes a line with the count unless the last line is younger than a second.
    pub(super) fn log(&mut self, error: &io::Error) {
        if let Some(failures) = self.0.let_through() {
            tracing::error!(
                target: SERVER,
                %error,
                failures,
                "cannot accept connections, trying again; too many open files means: raise the limit (ulimit -n)"
            );
        }
    }
}
