//! The bounded buffer between requests and the one thread that exports.
//!
//! Appending takes a lock for a copy of a few hundred bytes and never waits. Spans lie in batches of a fixed size, which are
//! opened until the limit is reached; from there spans are dropped. Every span that was taken is counted once: as exported,
//! or as dropped and why.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::config::SpanCounts;
use super::encode;

/// The tag of a span in `ScopeSpans`.
const SPANS: u32 = 2;
/// The most bytes of one batch, and what it takes in memory from its first span on.
pub(crate) const BATCH_BYTES: usize = 256 * 1024;

/// Why a span was dropped: the values of the label `reason` of `trace_spans_dropped_total`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DropReason {
    /// The buffer, or the batch that it would be in, has no room.
    BufferFull,
    /// The receiver refused it.
    Rejected,
    /// The receiver's answer says neither that it has it nor that it has not.
    BadAnswer,
    /// The receiver did not take it in time.
    Timeout,
    /// The process ended before.
    Shutdown,
}

impl DropReason {
    pub(crate) const NAMES: [&str; 5] = ["buffer_full", "rejected", "bad_answer", "timeout", "shutdown"];
}

/// The counters of a buffer, read together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) exported: u64,
    /// In the order of [`DropReason::NAMES`].
    pub(crate) dropped: [u64; DropReason::NAMES.len()],
    /// Taken, and neither exported nor dropped yet.
    pub(crate) waiting: u64,
}

/// How much a buffer takes and gives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The most bytes of all batches.
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
    /// The batch that is being sent; it counts against the limit.
    sending: bool,
    /// Spans taken, spans given to the exporter, and up to which of them a flush waits.
    taken: u64,
    given: u64,
    flush_to: u64,
    /// Grows with every flush: an exporter that waits to try again tries at once.
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
        let fits = |batch: &Batch| {
            batch.spans < self.limits.batch_spans && batch.encoded.len() + length <= batch.encoded.capacity()
        };
        if state.batches.back().is_some_and(fits) {
            return true;
        }
        let batches = state.batches.len() + usize::from(state.sending);
        let has_room = (batches + 1) * BATCH_BYTES <= self.limits.bytes;
        if has_room {
            // The batch before is complete now.
            self.work.notify_one();
            state.batches.push_back(Batch { encoded: Vec::with_capacity(BATCH_BYTES), spans: 0 });
        }
        has_room
    }

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
                    state.sending = true;
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
        let dropped = dropped.min(batch.spans);
        state.counts.dropped[reason as usize] += dropped;
        state.counts.exported += batch.spans - dropped;
        state.counts.waiting -= batch.spans;
        state.sending = false;
        self.progress.notify_all();
    }

    /// Waits so long before the next attempt; less where somebody waits for the spans. Whether there is a next attempt.
    pub(crate) async fn wait_to_retry(&self, time: Duration) -> bool {
        let due = Instant::now() + time;
        let flushes = self.lock().flushes;
        loop {
            let waited = tokio::time::timeout_at(due.into(), self.work.notified()).await;
            let state = self.lock();
            if state.closed {
                return false;
            }
            if waited.is_err() || state.flushes != flushes {
                return true;
            }
        }
    }

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

    /// Takes no more spans. What waits gets one more attempt.
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
        SpanCounts { exported: state.counts.exported, dropped: state.counts.dropped.iter().sum() }
    }

    pub(crate) fn counts(&self) -> Counts {
        self.lock().counts
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use opentelemetry_proto::tonic::trace::v1::Span;
    use proptest::prelude::*;
    use prost::Message;

    use super::super::resource::Envelope;
    use super::*;

    fn buffer(batch_spans: u64, bytes: usize) -> SpanBuffer {
        SpanBuffer::new(Limits { bytes, spans: u64::MAX, batch_spans, delay: Duration::ZERO })
    }

    fn run<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
    }

    fn names(batch: &Batch) -> Vec<String> {
        let request = Envelope::new(&[("service.name".into(), "a".into())]).wrap(&batch.encoded);
        let request = ExportTraceServiceRequest::decode(&*request).unwrap();
        let [resource] = &request.resource_spans[..] else { panic!("{request:?}") };
        let [scope] = &resource.scope_spans[..] else { panic!("{resource:?}") };
        assert_eq!(resource.resource.as_ref().unwrap().attributes[0].key, "service.name");
        assert_eq!(scope.scope.as_ref().unwrap().name, "redpane");
        scope.spans.iter().map(|span| span.name.clone()).collect()
    }

    proptest! {
        #[test]
        fn every_span_comes_out_once_and_in_order(names_in in prop::collection::vec(any::<String>(), 1..40), size in 1..9_u64) {
            let buffer = buffer(size, 64 * BATCH_BYTES);
            for name in &names_in {
                let span = Span { name: name.clone(), ..Span::default() }.encode_to_vec();
                prop_assert!(buffer.append(&span));
            }
            buffer.close();
            let mut found = Vec::new();
            run(async {
                while let Some(batch) = buffer.next().await {
                    assert!(batch.spans <= size);
                    let names = names(&batch);
                    assert_eq!(names.len() as u64, batch.spans);
                    found.extend(names);
                    buffer.settle(&batch, 0, DropReason::Rejected);
                }
            });
            prop_assert_eq!(found, names_in.clone());
            prop_assert_eq!(buffer.counts(), Counts { exported: names_in.len() as u64, ..Counts::default() });
        }
    }

    #[test]
    fn past_the_limit_spans_are_dropped_and_counted() {
        let buffer = buffer(512, 2 * BATCH_BYTES);
        let span = vec![0; BATCH_BYTES / 4];
        let taken = (0..20).filter(|_| buffer.append(&span)).count();
        // The key and the length of each leave no room for a fourth.
        assert_eq!(taken, 6);
        let counts = buffer.counts();
        assert_eq!((counts.waiting, counts.dropped), (6, [14, 0, 0, 0, 0]));
        assert!(!buffer.append(&vec![0; BATCH_BYTES]), "longer than a batch");
    }

    #[test]
    fn what_is_not_exported_at_the_end_is_counted() {
        let buffer = buffer(2, 64 * BATCH_BYTES);
        (0..5).for_each(|_| assert!(buffer.append(b"")));
        let batch = run(buffer.next()).unwrap();
        assert_eq!(buffer.flush(Duration::ZERO), Err(5));
        buffer.settle(&batch, 1, DropReason::Rejected);
        assert_eq!(buffer.end(Duration::ZERO), SpanCounts { exported: 1, dropped: 4 });
        assert!(!buffer.append(b""));
        let counts = buffer.counts();
        assert_eq!((counts.waiting, counts.dropped), (0, [0, 1, 0, 0, 4]));
    }
}
