//! Lines that are lost: when that may happen, why it did, and how many there were.

use std::fmt;
use std::time::Duration;

/// What happens to a line that finds the log buffer full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OverflowPolicy {
    /// The line is dropped, counted in `log_lines_dropped_total` and announced later. Requests are never held up.
    #[default]
    Drop,
    /// The logging thread waits for room, at most this long; then the line is dropped as above.
    Block {
        /// The longest wait for one line.
        deadline: Duration,
    },
}

/// Why a line was lost: the values of the label `reason` of `log_lines_dropped_total`.
#[derive(Clone, Copy)]
pub(crate) enum DropReason {
    BufferFull,
    DeadlinePassed,
    WriteFailed,
}

impl DropReason {
    pub(crate) const NAMES: [&str; 3] = ["buffer_full", "deadline_passed", "write_failed"];
}

/// Lines that a telemetry has lost, and those of them that its log tells of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogLosses {
    /// Lines lost since the start, for whatever reason: the sum of `log_lines_dropped_total`.
    pub lines: u64,
    /// How many of those the log itself announces, in lines that are written.
    pub announced: u64,
}

/// Not every accepted line was written when the deadline of a flush passed.
#[derive(Debug)]
#[non_exhaustive]
pub struct FlushError {
    /// Lines still waiting.
    pub lines: u64,
    /// Spans still waiting for the receiver.
    pub spans: u64,
}

impl fmt::Display for FlushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.spans > 0 {
            write!(f, "{} spans were not exported when the deadline passed: is the receiver there? ", self.spans)?;
        }
        write!(f, "{} log lines were still waiting when the deadline passed: is the log output being read?", self.lines)
    }
}

impl std::error::Error for FlushError {}

/// The counters of a buffer, read together.
#[derive(Clone, Copy, Default)]
pub(crate) struct Counts {
    /// Lines by level, in the order of [`LEVELS`](super::level::LEVELS); lost ones are included.
    pub(crate) events: [u64; 5],
    /// Lost lines, in the order of [`DropReason::NAMES`].
    pub(crate) dropped: [u64; 3],
}
