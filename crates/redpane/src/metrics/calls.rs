//! The label sets of calls to other services, created once and bounded in number.
//!
//! A call takes as long as a network does, so one look-up under a lock that readers share is nothing beside it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::catalogue;
use super::histogram::{Bounds, Histogram};
use super::label_text::push_label;
use super::route::OVERFLOW;
use super::shards;
use super::snapshot::{Family, HistogramSnapshot, SeriesSnapshot, Value};
use crate::request::call::{BODY_ERROR, CallEnd, ERROR, FinishedCall};

/// Peer, method and end of calls that are counted together.
type Key = (Arc<str>, &'static str, CallEnd);

struct CallSeries {
    durations: Histogram,
    /// `method="GET",peer="stock",status="200"`.
    labels: Arc<str>,
}

/// All calls that one telemetry counts.
pub(crate) struct CallMetrics {
    durations: Arc<Bounds>,
    limit: usize,
    series: RwLock<BTreeMap<Key, Arc<CallSeries>>>,
    overflowed: AtomicU64,
}

impl CallMetrics {
    /// At most `limit` label sets, beside those of `_overflow`.
    pub(crate) fn new(durations: Arc<Bounds>, limit: usize) -> Self {
        Self { durations, limit, series: RwLock::default(), overflowed: AtomicU64::new(0) }
    }

    /// Makes the failures of a peer and method exist at zero, so that the first one is seen by `rate()`. `kinds` are those
    /// that the layer tells apart.
    pub(crate) fn expect_failures(&self, peer: &Arc<str>, method: &'static str, kinds: &[&'static str]) {
        let key = |end| (Arc::clone(peer), method, end);
        if self.find(&key(CallEnd::Status(500))).is_none() {
            for kind in [ERROR, BODY_ERROR].iter().chain(kinds) {
                let _ = self.find_or_create(key(CallEnd::Error(kind)));
            }
            // Last: whoever finds it finds the others.
            let _ = self.find_or_create(key(CallEnd::Status(500)));
        }
    }

    /// The same, and the status 200.
    pub(crate) fn preregister(&self, peer: &Arc<str>, method: &'static str, kinds: &[&'static str]) {
        self.expect_failures(peer, method, kinds);
        let _ = self.find_or_create((Arc::clone(peer), method, CallEnd::Status(200)));
    }

    /// Counts a call, once.
    pub(crate) fn record(&self, call: &FinishedCall<'_>) {
        let series = self.find_or_create((Arc::clone(call.peer), call.method, call.end)).unwrap_or_else(|| {
            self.overflowed.fetch_add(1, Ordering::Relaxed);
            self.create((OVERFLOW.into(), call.method, call.end))
        });
        let nanoseconds = u64::try_from(call.duration.as_nanos()).unwrap_or(u64::MAX);
        series.durations.observe_whole(nanoseconds, shards::mine());
    }

    /// Calls that went to `_overflow`.
    pub(crate) fn overflowed(&self) -> u64 {
        self.overflowed.load(Ordering::Relaxed)
    }

    /// None where nothing was ever called. The counter and the histogram of a label set come from the same reading.
    pub(crate) fn families(&self) -> Vec<Family> {
        let series: Vec<_> =
            self.series.read().unwrap_or_else(PoisonError::into_inner).values().map(Arc::clone).collect();
        if series.is_empty() {
            return Vec::new();
        }
        let readings: Vec<_> = series.iter().map(|series| (series, series.durations.read())).collect();
        let counts = readings.iter().map(|(series, reading)| (Arc::clone(&series.labels), reading.count()));
        let counts = catalogue::CALLS.integers(counts);
        let durations = readings.into_iter().map(|(series, reading)| SeriesSnapshot {
            labels: Arc::clone(&series.labels),
            value: Value::Histogram(HistogramSnapshot {
                bounds: Arc::clone(series.durations.bounds()),
                reading,
                exemplars: Vec::new(),
            }),
        });
        vec![counts, catalogue::CALL_DURATION.family(durations.collect())]
    }

    fn find(&self, key: &Key) -> Option<Arc<CallSeries>> {
        self.series.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// `None` past the limit.
    fn find_or_create(&self, key: Key) -> Option<Arc<CallSeries>> {
        self.find(&key).or_else(|| {
            // Two that ask at the same time may pass it by one.
            let has_room = self.series.read().unwrap_or_else(PoisonError::into_inner).len() < self.limit;
            has_room.then(|| self.create(key))
        })
    }

    /// The series of `_overflow` ask no limit: there are at most as many as methods times ends.
    fn create(&self, key: Key) -> Arc<CallSeries> {
        let mut series = self.series.write().unwrap_or_else(PoisonError::into_inner);
        let labels = label_text(&key);
        let new = || Arc::new(CallSeries { durations: Histogram::new(Arc::clone(&self.durations)), labels });
        Arc::clone(series.entry(key).or_insert_with(new))
    }
}

fn label_text((peer, method, end): &Key) -> Arc<str> {
    let mut labels = String::new();
    push_label(&mut labels, "method", method);
    push_label(&mut labels, "peer", peer);
    match end {
        CallEnd::Status(status) => push_label(&mut labels, "status", &status.to_string()),
        CallEnd::Error(kind) => push_label(&mut labels, "error", kind),
    }
    labels.into()
}
