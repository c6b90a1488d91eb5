//! Exemplars: for each bucket the trace id of one of its latest requests.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use crate::trace_context::ids::TraceId;

/// A bucket takes a new exemplar at most this often: a scraper reads every few seconds, so more would be work for nobody.
const INTERVAL_MILLISECONDS: u64 = 500;

/// One sample, and the trace it came from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exemplar {
    pub(crate) trace_id: TraceId,
    pub(crate) nanoseconds: u64,
    /// Milliseconds since 1970.
    pub(crate) time: u64,
}

/// The time stands outside of the allocation: most requests only find that it is not yet over.
#[derive(Default)]
struct Slot {
    /// Of the exemplar, in milliseconds since 1970.
    time: AtomicU64,
    latest: OnceLock<Box<Mutex<Option<Exemplar>>>>,
}

/// The exemplars of one label set, by bucket.
pub(crate) struct Exemplars(Box<[Slot]>);

impl Exemplars {
    pub(crate) fn new(buckets: usize) -> Self {
        Self((0..buckets).map(|_| Slot::default()).collect())
    }

    pub(crate) fn offer(&self, bucket: usize, nanoseconds: u64, trace_id: &TraceId, since_epoch: Duration) {
        let time = since_epoch.as_secs() * 1000 + u64::from(since_epoch.subsec_millis());
        let slot = &self.0[bucket];
        if time.saturating_sub(slot.time.load(Ordering::Relaxed)) < INTERVAL_MILLISECONDS {
            return;
        }
        // Whoever finds it locked leaves it: the other one's request is just as good an example.
        if let Ok(mut latest) = slot.latest.get_or_init(Box::default).try_lock() {
            *latest = Some(Exemplar { trace_id: *trace_id, nanoseconds, time });
            slot.time.store(time, Ordering::Relaxed);
        }
    }

    pub(crate) fn get(&self, bucket: usize) -> Option<Exemplar> {
        let latest = self.0[bucket].latest.get()?;
        *latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
