//! Log lines about connections that cannot be accepted.

use std::io;
use std::time::{Duration, Instant};

use crate::log_targets::SERVER;

/// At most one line in this time: while it lasts, accepting fails ten times a second.
const INTERVAL: Duration = Duration::from_secs(1);

/// Logs failures of `accept`, rate-limited.
#[derive(Default)]
pub(super) struct AcceptErrorLog {
    last: Option<Instant>,
    /// Failures since the last line.
    unreported: u64,
}

impl AcceptErrorLog {
    /// Counts a failure, and writes a line with the count unless the last line is younger than a second.
    pub(super) fn log(&mut self, error: &io::Error) {
        self.unreported += 1;
        if self.last.is_none_or(|last| last.elapsed() >= INTERVAL) {
            let failures = std::mem::take(&mut self.unreported);
            tracing::error!(
                target: SERVER,
                %error,
                failures,
                "cannot accept connections, trying again; too many open files means: raise the limit (ulimit -n)"
            );
            self.last = Some(Instant::now());
        }
    }
}
