//! The bounded buffer between whoever logs and the one thread that writes.
//!
//! Appending a line takes a lock for a copy of a few hundred bytes and never waits for the output. The writer thread
//! swaps the whole buffer for an empty one and writes it in one go. When the output stalls, the buffer fills up to its
//! limit; from there [`OverflowPolicy`] decides. Lines that are lost are counted, and announced in the log itself as soon as
//! the output moves again.

use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::Level;

use super::level::level_index;
use super::losses::{Counts, DropReason, FlushError, LogLosses, OverflowPolicy};

/// A buffer this full, or half full, is written without lingering.
const URGENT_BYTES: usize = 256 * 1024;

#[derive(Default)]
pub(super) struct State {
    pub(super) buffer: Vec<u8>,
    pub(super) lines: u64,
    /// Bytes that the writer has taken and not written yet; they count against the limit.
    pub(super) writing_bytes: usize,
    /// Lost since the last announcement.
    pub(super) unreported: u64,
    /// Lost lines that written announcements tell of.
    pub(super) reported: u64,
    pub(super) counts: Counts,
    pub(super) accepted: u64,
    pub(super) settled: u64,
    /// Lines that are still being made by a thread of their own.
    expected: u64,
    pub(super) writer_idle: bool,
    pub(super) urgent: bool,
    /// The last write failed: nothing is announced until the next line tries the output again.
    pub(super) failing: bool,
    pub(super) closed: bool,
}

impl State {
    pub(super) fn has_work(&self) -> bool {
        self.lines > 0 || (self.unreported > 0 && !self.failing)
    }
}

pub(super) struct BufferShared {
    pub(super) state: Mutex<State>,
    /// Something to write, a flush, or the end.
    pub(super) work: Condvar,
    /// The writer took or wrote a batch.
    pub(super) progress: Condvar,
    limit: usize,
    overflow: OverflowPolicy,
}

impl BufferShared {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // No line is appended half-way under the lock: the state of a poisoned lock is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The appending end. The thread behind it ends when this is dropped and everything is written.
pub(crate) struct Buffer {
    shared: Arc<BufferShared>,
}

impl Buffer {
    /// Nothing is written before a writer thread serves it ([`shared`](Self::shared)).
    pub(crate) fn new(limit: usize, overflow: OverflowPolicy) -> Self {
        Self {
            shared: Arc::new(BufferShared {
                state: Mutex::default(),
                work: Condvar::new(),
                progress: Condvar::new(),
                limit,
                overflow,
            }),
        }
    }

    /// For the writer thread.
    pub(super) fn shared(&self) -> Arc<BufferShared> {
        Arc::clone(&self.shared)
    }

    /// Appends one line, its newline included.
    pub(crate) fn append(&self, level: Level, line: &[u8]) {
        let mut state = self.shared.lock();
        state.counts.events[level_index(level)] += 1;
        if !self.fits(&state, line) {
            match self.shared.overflow {
                OverflowPolicy::Drop => return lose(&mut state, 1, DropReason::BufferFull),
                OverflowPolicy::Block { deadline } => {
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
        let mut state = self.wait_for_expected(end);
        if state.expected > 0 {
            return Err(FlushError { lines: state.expected + state.accepted - state.settled, spans: 0 });
        }
        let (target, lost) = (state.accepted, state.counts.dropped.iter().sum());
        while state.settled < target || (state.reported < lost && !state.failing) {
            state.urgent = true;
            self.shared.work.notify_one();
            let left = end.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Err(FlushError { lines: target.saturating_sub(state.settled), spans: 0 });
            }
            state = self.shared.progress.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
    }

    /// Waits until no line is being made elsewhere, or until `end`.
    fn wait_for_expected(&self, end: Option<Instant>) -> MutexGuard<'_, State> {
        let mut state = self.shared.lock();
        while state.expected > 0 {
            let left = end.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                break;
            }
            state = self.shared.progress.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state
    }

    /// Waits until no line is being made elsewhere, at most this long.
    pub(crate) fn finish_expected(&self, deadline: Duration) {
        drop(self.wait_for_expected(Instant::now().checked_add(deadline)));
    }

    /// Makes flushes wait for a line that another thread makes and appends.
    pub(crate) fn expect_line(&self) -> ExpectedLine {
        self.shared.lock().expected += 1;
        ExpectedLine { shared: Arc::clone(&self.shared) }
    }

    pub(crate) fn counts(&self) -> Counts {
        self.shared.lock().counts
    }

    pub(crate) fn losses(&self) -> LogLosses {
        let state = self.shared.lock();
        LogLosses { lines: state.counts.dropped.iter().sum(), announced: state.reported }
    }
}

/// A line that is being made elsewhere: until this is dropped, flushes wait for it.
pub(crate) struct ExpectedLine {
    shared: Arc<BufferShared>,
}

impl Drop for ExpectedLine {
    fn drop(&mut self) {
        self.shared.lock().expected -= 1;
        self.shared.progress.notify_all();
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.work.notify_one();
    }
}

pub(super) fn lose(state: &mut State, lines: u64, reason: DropReason) {
    state.counts.dropped[reason as usize] += lines;
    state.unreported += lines;
}
