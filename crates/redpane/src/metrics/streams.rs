//! Streams by route: how many there are, and how long they last.
//!
//! A stream lasts for seconds at least, so one look-up under a lock that readers share is nothing beside it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::catalogue;
use super::histogram::{Bounds, Histogram};
use super::label_text::push_label;
use super::route::OVERFLOW;
use super::shards;
use super::snapshot::{Family, HistogramSnapshot, SeriesSnapshot, Value};

/// Upper bounds of `http_stream_duration_seconds`: 1, 5 and 15 s, 1, 5, 15 and 30 min, 1, 2, 3 and 6 h.
pub(crate) const STREAM_BUCKETS: [f64; 11] =
    [1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0, 10_800.0, 21_600.0];

/// The streams of a route.
pub(crate) struct StreamSeries {
    in_flight: AtomicU64,
    durations: Histogram,
    /// `route="/events"`.
    labels: Arc<str>,
}

/// All streams of one telemetry.
pub(crate) struct StreamMetrics {
    bounds: Arc<Bounds>,
    limit: usize,
    series: RwLock<BTreeMap<Box<str>, Arc<StreamSeries>>>,
}

impl StreamMetrics {
    /// At most `limit` routes, beside `_overflow`.
    pub(crate) fn new(bounds: Arc<Bounds>, limit: usize) -> Self {
        Self { bounds, limit, series: RwLock::default() }
    }

    /// A stream of a route begins. It ends with [`StreamSeries::end`].
    pub(crate) fn begin(&self, route: &str) -> Arc<StreamSeries> {
        let series = self.find(route);
        series.in_flight.fetch_add(1, Ordering::Relaxed);
        series
    }

    fn find(&self, route: &str) -> Arc<StreamSeries> {
        if let Some(series) = self.series.read().unwrap_or_else(PoisonError::into_inner).get(route) {
            return Arc::clone(series);
        }
        let mut all = self.series.write().unwrap_or_else(PoisonError::into_inner);
        let route = if all.contains_key(route) || all.len() < self.limit { route } else { OVERFLOW };
        let new = || {
            let mut labels = String::new();
            push_label(&mut labels, "route", route);
            let durations = Histogram::new(Arc::clone(&self.bounds));
            Arc::new(StreamSeries { in_flight: AtomicU64::new(0), durations, labels: labels.into() })
        };
        Arc::clone(all.entry(route.into()).or_insert_with(new))
    }

    /// None where there was never a stream.
    pub(crate) fn families(&self) -> Vec<Family> {
        let all: Vec<_> = self.series.read().unwrap_or_else(PoisonError::into_inner).values().map(Arc::clone).collect();
        if all.is_empty() {
            return Vec::new();
        }
        let in_flight = all.iter().map(|series| (Arc::clone(&series.labels), series.in_flight.load(Ordering::Relaxed)));
        let in_flight = catalogue::STREAMS_IN_FLIGHT.integers(in_flight);
        let durations = all.iter().map(|series| SeriesSnapshot {
            labels: Arc::clone(&series.labels),
            value: Value::Histogram(HistogramSnapshot {
                bounds: Arc::clone(series.durations.bounds()),
                reading: series.durations.read(),
                exemplars: Vec::new(),
            }),
        });
        vec![in_flight, catalogue::STREAM_DURATION.family(durations.collect())]
    }
}

impl StreamSeries {
    /// A stream has ended after so long.
    pub(crate) fn end(&self, nanoseconds: u64) {
        self.durations.observe_whole(nanoseconds, shards::mine());
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
