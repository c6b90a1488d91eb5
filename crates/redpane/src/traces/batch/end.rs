//! Waiting for the spans that were taken, and the end of it all.

use std::mem;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use super::super::counts::{DropReason, SpanCounts};
use super::SpanBuffer;

impl SpanBuffer {
    /// Waits until every span taken so far is exported or counted as dropped. The error is how many are not.
    pub(crate) fn flush(&self, deadline: Duration) -> Result<(), u64> {
        let end = Instant::now().checked_add(deadline);
        let mut state = self.lock();
        let target = state.taken;
        state.flush_to = target;
        state.flushes += 1;
        self.work.notify_one();
        loop {
            let settled = state.taken - state.counts.waiting;
            if settled >= target {
                return Ok(());
            }
            let left = end.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Err(target - settled);
            }
            state = self.progress.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Takes no more spans. What waits gets one more attempt, which no `Retry-After` holds up.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.work.notify_one();
    }

    /// Takes no more spans, and drops those that are not exported when the deadline passes. From then on every span is
    /// counted.
    pub(crate) fn end(&self, deadline: Duration) -> SpanCounts {
        self.close();
        let _ = self.flush(deadline);
        let mut state = self.lock();
        state.ended = true;
        state.batches.clear();
        let waiting = mem::take(&mut state.counts.waiting);
        state.counts.dropped[DropReason::Shutdown as usize] += waiting;
        self.progress.notify_all();
        state.counts.into()
    }
}
