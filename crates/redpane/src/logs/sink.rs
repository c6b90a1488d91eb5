//! The bounded buffer between whoever logs and the one thread that writes.
//!
//! Appending a line takes a lock for a copy of a few hundred bytes and never waits for the output. The writer thread
//! swaps the whole buffer for an empty one and writes it in one go. When the output stalls, the buffer fills up to its
//! limit; from there [`WhenFull`] decides. Lines that are lost are counted, and announced in the log itself as soon as
//! the output moves again.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{fmt, mem, thread};

use tracing::Level;

use super::writer;

/// A buffer this full, or half full, is written without lingering.
const URGENT_BYTES: usize = 256 * 1024;

/// What happens to a line that finds the log buffer full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenFull {
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

/// Not every accepted line was written when the deadline of a flush passed.
#[derive(Debug)]
#[non_exhaustive]
pub struct FlushError {
    /// Lines still waiting.
    pub lines: u64,
}

impl fmt::Display for FlushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} log lines were still waiting when the deadline passed: is the log output being read?", self.lines)
    }
}

impl std::error::Error for FlushError {}

/// Appends the line that announces lost lines.
pub(crate) type Announce = Box<dyn Fn(&mut Vec<u8>, u64) + Send>;

/// The counters of a sink, read together.
#[derive(Clone, Copy, Default)]
pub(crate) struct Counts {
    /// Lines by level, in the order of [`level_index`]; lost ones are included.
    pub(crate) events: [u64; 5],
    /// Lost lines, in the order of [`DropReason::NAMES`].
    pub(crate) dropped: [u64; 3],
}

/// The position of a level in [`Counts::events`].
pub(crate) fn level_index(level: Level) -> usize {
    match level {
        Level::ERROR => 0,
        Level::WARN => 1,
        Level::INFO => 2,
        Level::DEBUG => 3,
        Level::TRACE => 4,
    }
}

#[derive(Default)]
pub(super) struct State {
    pub(super) buffer: Vec<u8>,
    pub(super) lines: u64,
    /// Bytes that the writer has taken and not written yet; they count against the limit.
    pub(super) writing_bytes: usize,
    /// Lost since the last announcement.
    pub(super) unannounced: u64,
    /// Lost lines that written announcements tell of.
    pub(super) announced: u64,
    pub(super) counts: Counts,
    pub(super) accepted: u64,
    pub(super) settled: u64,
    pub(super) writer_idle: bool,
    pub(super) urgent: bool,
    /// The last write failed: nothing is announced until the next line tries the output again.
    pub(super) failing: bool,
    pub(super) closed: bool,
}

impl State {
    pub(super) fn has_work(&self) -> bool {
        self.lines > 0 || (self.unannounced > 0 && !self.failing)
    }
}

pub(super) struct Shared {
    pub(super) state: Mutex<State>,
    /// Something to write, a flush, or the end.
    pub(super) work: Condvar,
    /// The writer took or wrote a batch.
    pub(super) progress: Condvar,
    limit: usize,
    when_full: WhenFull,
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // No line is appended half-way under the lock: the state of a poisoned lock is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The appending end. The thread behind it ends when this is dropped and everything is written.
pub(crate) struct Sink {
    shared: Arc<Shared>,
}

impl Sink {
    /// Starts the writer thread.
    pub(crate) fn start(
        output: Box<dyn Write + Send>,
        limit: usize,
        when_full: WhenFull,
        announce: Announce,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            work: Condvar::new(),
            progress: Condvar::new(),
            limit,
            when_full,
        });
        let writing = Arc::clone(&shared);
        thread::Builder::new()
            .name("redpane-log".into())
            .spawn(move || writer::write_batches(&writing, output, &announce))?;
        Ok(Self { shared })
    }

    /// Appends one line, its newline included.
    pub(crate) fn append(&self, level: Level, line: &[u8]) {
        let mut state = self.shared.lock();
        state.counts.events[level_index(level)] += 1;
        if !self.fits(&state, line) {
            match self.shared.when_full {
                WhenFull::Drop => return lose(&mut state, 1, DropReason::BufferFull),
                WhenFull::Block { deadline } => {
                    state = self.wait_for_room(state, line, deadline);
                    if !self.fits(&state, line) {
                        return lose(&mut state, 1, DropReason::DeadlinePassed);
                    }
                }
            }
        }
        state.buffer.extend_from_slice(line);
        state.lines += 1;
        state.accepted += 1;
        let enough = URGENT_BYTES.min(self.shared.limit / 2);
        let full_enough = state.buffer.len() >= enough && !mem::replace(&mut state.urgent, true);
        let wake = mem::take(&mut state.writer_idle) || full_enough;
        drop(state);
        if wake {
            self.shared.work.notify_one();
        }
    }

    fn fits(&self, state: &State, line: &[u8]) -> bool {
        state.buffer.len() + state.writing_bytes + line.len() <= self.shared.limit
    }

    fn wait_for_room<'a>(
        &self,
        state: MutexGuard<'a, State>,
        line: &[u8],
        deadline: Duration,
    ) -> MutexGuard<'a, State> {
        let waited = self.shared.progress.wait_timeout_while(state, deadline, |state| !self.fits(state, line));
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Waits until every line accepted so far is written or counted as lost, and every loss so far is announced. Lines
    /// that come meanwhile are not waited for.
    pub(crate) fn flush(&self, deadline: Duration) -> Result<(), FlushError> {
        let end = Instant::now().checked_add(deadline);
        let mut state = self.shared.lock();
        let (target, lost) = (state.accepted, state.counts.dropped.iter().sum());
        while state.settled < target || (state.announced < lost && !state.failing) {
            state.urgent = true;
            self.shared.work.notify_one();
            let left = end.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Err(FlushError { lines: target.saturating_sub(state.settled) });
            }
            state = self.shared.progress.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
    }

    pub(crate) fn counts(&self) -> Counts {
        self.shared.lock().counts
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.work.notify_one();
    }
}

pub(super) fn lose(state: &mut State, lines: u64, reason: DropReason) {
    state.counts.dropped[reason as usize] += lines;
    state.unannounced += lines;
}
