//! What the thread that exports does with the buffer.

use std::time::{Duration, Instant};

use super::super::counts::DropReason;
use super::{Batch, SpanBuffer};

impl SpanBuffer {
    /// The next batch: one that is full, or has waited long enough, or that a flush waits for. `None` at the end.
    pub(crate) async fn next(&self) -> Option<Batch> {
        let mut due = None;
        loop {
            {
                let mut state = self.lock();
                let is_due = due.is_some_and(|due| Instant::now() >= due);
                let is_wanted = state.closed || state.flush_to > state.given || is_due || state.batches.len() > 1;
                if let Some(batch) = state.batches.front()
                    && (is_wanted || batch.spans >= self.limits.batch_spans)
                {
                    let batch = state.batches.pop_front().unwrap_or_default();
                    state.given += batch.spans;
                    return Some(batch);
                }
                if state.closed {
                    return None;
                }
                if state.batches.is_empty() {
                    state.exporter_idle = true;
                    due = None;
                } else {
                    due.get_or_insert_with(|| Instant::now() + self.limits.delay);
                }
            }
            match due {
                None => self.work.notified().await,
                Some(due) => _ = tokio::time::timeout_at(due.into(), self.work.notified()).await,
            }
        }
    }

    /// The batch that [`next`](Self::next) gave is done: so many of its spans were dropped for this reason, the others are
    /// exported.
    pub(crate) fn settle(&self, batch: &Batch, dropped: u64, reason: DropReason) {
        let mut state = self.lock();
        if state.ended {
            return;
        }
        debug_assert!(dropped <= batch.spans, "{dropped} of {}", batch.spans);
        state.counts.dropped[reason as usize] += dropped;
        state.counts.exported += batch.spans - dropped;
        state.counts.waiting -= batch.spans;
        state.bytes -= batch.encoded.capacity();
        self.progress.notify_all();
    }

    /// An attempt to send the batch begins: what it is compared with when it has failed.
    pub(crate) fn attempt(&self) -> Attempt {
        let state = self.lock();
        Attempt { is_last: state.closed, flushes: state.flushes }
    }

    /// Waits so long before the next attempt. Where the receiver did not ask for the wait, a flush since the last attempt began
    /// ends it: somebody waits for the spans. The end of all ends every wait.
    pub(crate) async fn wait_to_retry(&self, after: &Attempt, time: Duration, is_asked_for: bool) {
        let due = Instant::now() + time;
        loop {
            {
                let state = self.lock();
                if state.closed || (!is_asked_for && state.flushes != after.flushes) {
                    return;
                }
            }
            // A permit of the notification says that something has happened, not what: it is looked at above.
            if tokio::time::timeout_at(due.into(), self.work.notified()).await.is_err() {
                return;
            }
        }
    }
}

/// What was known when an attempt began.
pub(crate) struct Attempt {
    /// Nobody waits for another one: the buffer was closed already.
    pub(crate) is_last: bool,
    flushes: u64,
}
