//! The bounded buffer between requests and the one thread that exports.
//!
//! Appending takes a lock for a copy of a few hundred bytes and never waits. Spans lie in batches, whose memory is taken in large
//! pieces until the limit is reached; from there spans are dropped. Every span that was taken is counted once: as exported,
//! or as dropped and why. [`exporting`] is the side of the thread that exports, [`end`] waits for
//! spans, and ends.

mod end;
mod exporting;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::counts::{Counts, DropReason};
use super::encode;

/// The tag of a span in `ScopeSpans`.
const SPANS: u32 = 2;
/// The most bytes of one batch.
pub(crate) const BATCH_BYTES: usize = 256 * 1024;
/// What a span takes, as a batch guesses before it has one. Where spans are larger, it takes more as they come.
const SPAN_BYTES: usize = 512;
/// The least memory that a batch takes.
const LEAST_BYTES: usize = 1024;

/// How much a buffer takes and gives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The most bytes of all batches: of the memory that they have taken, not of what is in them.
    pub(crate) bytes: usize,
    /// The most spans that wait.
    pub(crate) spans: u64,
    /// The most spans of a batch.
    pub(crate) batch_spans: u64,
    /// How long a batch that is not full waits for more.
    pub(crate) delay: Duration,
}

/// Spans that are sent together, each as a field of `ScopeSpans`.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) encoded: Vec<u8>,
    pub(crate) spans: u64,
}

#[derive(Default)]
struct State {
    batches: VecDeque<Batch>,
    counts: Counts,
    /// The memory of all batches, and of the one that is being sent.
    bytes: usize,
    /// Spans taken, spans given to the exporter, and up to which of them a flush waits.
    taken: u64,
    given: u64,
    flush_to: u64,
    /// Grows with every flush: an exporter that waits to try again of its own accord tries at once.
    flushes: u64,
    exporter_idle: bool,
    closed: bool,
    /// What waited is counted as dropped.
    ended: bool,
}

/// See the module.
pub(crate) struct SpanBuffer {
    state: Mutex<State>,
    limits: Limits,
    work: Notify,
    progress: Condvar,
}

impl SpanBuffer {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { state: Mutex::default(), limits, work: Notify::new(), progress: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No span is appended half-way: the state of a poisoned lock is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a span, encoded without the key and length that make it a field. Whether there was room.
    pub(crate) fn append(&self, span: &[u8]) -> bool {
        let length = encode::length_of(span.len());
        let mut state = self.lock();
        let reason = match state.closed {
            true => Some(DropReason::Shutdown),
            false => (!self.has_room(&mut state, length)).then_some(DropReason::BufferFull),
        };
        if let Some(reason) = reason {
            state.counts.dropped[reason as usize] += 1;
            return false;
        }
        let Some(batch) = state.batches.back_mut() else { return false };
        encode::bytes(&mut batch.encoded, SPANS, span);
        batch.spans += 1;
        let is_full = batch.spans == self.limits.batch_spans;
        state.taken += 1;
        state.counts.waiting += 1;
        let wake = mem::take(&mut state.exporter_idle) || is_full;
        drop(state);
        if wake {
            self.work.notify_one();
        }
        true
    }

    /// Counts spans that found no room elsewhere.
    pub(crate) fn count_left_out(&self, spans: u64) {
        if spans > 0 {
            self.lock().counts.dropped[DropReason::BufferFull as usize] += spans;
        }
    }

    /// Makes the last batch one that has room for so many bytes.
    fn has_room(&self, state: &mut State, length: usize) -> bool {
        if length > BATCH_BYTES || state.counts.waiting >= self.limits.spans {
            return false;
        }
        if let Some(batch) = state.batches.back_mut()
            && batch.spans < self.limits.batch_spans
            && batch.encoded.len() + length <= BATCH_BYTES
        {
            let taken = batch.encoded.capacity();
            if batch.encoded.len() + length <= taken {
                return true;
            }
            let wanted = (2 * taken).max(batch.encoded.len() + length).min(BATCH_BYTES);
            if state.bytes + wanted - taken > self.limits.bytes {
                return false;
            }
            batch.encoded.reserve_exact(wanted - batch.encoded.len());
            state.bytes += batch.encoded.capacity() - taken;
            return true;
        }
        let guess = usize::try_from(self.limits.batch_spans).unwrap_or(usize::MAX).saturating_mul(SPAN_BYTES);
        let wanted = guess.clamp(LEAST_BYTES, BATCH_BYTES).max(length);
        let has_room = state.bytes + wanted <= self.limits.bytes;
        if has_room {
            // The batch before is complete now.
            self.work.notify_one();
            let batch = Batch { encoded: Vec::with_capacity(wanted), spans: 0 };
            state.bytes += batch.encoded.capacity();
            state.batches.push_back(batch);
        }
        has_room
    }

    pub(crate) fn counts(&self) -> Counts {
        self.lock().counts
    }
}
