//! Streams by route: how many there are, how they end, and how long they last.
//!
//! A stream lasts for seconds at least, so one look-up under a lock that readers share is nothing beside it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use super::catalogue;
use super::histogram::{Bounds, Histogram, Reading};
use super::label_text::push_label;
use super::route::OVERFLOW;
use super::shards::{self, Counter};
use super::snapshot::{Family, HistogramSnapshot, SeriesSnapshot, Value};
use crate::request::finished::Outcome;

/// Upper bounds of `http_stream_duration_seconds`: 1, 5 and 15 s, 1, 5, 15 and 30 min, 1, 2, 3 and 6 h.
pub(crate) const STREAM_BUCKETS: [f64; 11] =
    [1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0, 10_800.0, 21_600.0];

/// The streams of a route.
pub(crate) struct StreamSeries {
    in_flight: AtomicU64,
    bounds: Arc<Bounds>,
    /// By outcome, made with the first stream that ends so. The counter is their counts and the histogram is their sum, so both
    /// agree in every scrape.
    durations: [OnceLock<Histogram>; Outcome::ALL.len()],
    /// `route="/events"`.
    labels: Arc<str>,
}

/// All streams of one telemetry.
pub(crate) struct StreamMetrics {
    bounds: Arc<Bounds>,
    limit: usize,
    /// Lines of streams that sampling left out. Apart from those of requests, whose account is with theirs.
    pub(crate) lines_sampled_out: Counter,
    series: RwLock<BTreeMap<Box<str>, Arc<StreamSeries>>>,
}

impl StreamMetrics {
    /// At most `limit` routes, beside `_overflow`.
    pub(crate) fn new(bounds: Arc<Bounds>, limit: usize) -> Self {
        Self { bounds, limit, lines_sampled_out: Counter::new(), series: RwLock::default() }
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
            Arc::new(StreamSeries {
                in_flight: AtomicU64::new(0),
                bounds: Arc::clone(&self.bounds),
                durations: Default::default(),
                labels: labels.into(),
            })
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
        let mut ended = Vec::new();
        let mut durations = Vec::new();
        for series in &all {
            let readings = series.durations.each_ref().map(|histogram| histogram.get().map(Histogram::read));
            // All outcomes are there from the first stream on, so that `rate()` sees the first one that ends badly.
            for (outcome, reading) in Outcome::ALL.iter().zip(&readings) {
                let mut labels = series.labels.to_string();
                push_label(&mut labels, "outcome", outcome.as_str());
                ended.push((labels.into(), reading.as_ref().map_or(0, Reading::count)));
            }
            let mut sum = Reading { buckets: vec![0; series.bounds.buckets()], sum: 0.0 };
            for reading in readings.into_iter().flatten() {
                sum.sum += reading.sum;
                sum.buckets.iter_mut().zip(reading.buckets).for_each(|(into, count)| *into += count);
            }
            let bounds = Arc::clone(&series.bounds);
            let value = Value::Histogram(HistogramSnapshot { bounds, reading: sum, exemplars: Vec::new() });
            durations.push(SeriesSnapshot { labels: Arc::clone(&series.labels), value });
        }
        vec![
            in_flight,
            catalogue::STREAMS.integers(ended),
            catalogue::STREAM_DURATION.family(durations),
            catalogue::STREAM_LINES_SAMPLED_OUT.integer(self.lines_sampled_out.get()),
        ]
    }
}

impl StreamSeries {
    /// A stream has ended so, after so long.
    pub(crate) fn end(&self, outcome: Outcome, nanoseconds: u64) {
        let durations = self.durations[outcome as usize].get_or_init(|| Histogram::new(Arc::clone(&self.bounds)));
        durations.observe_whole(nanoseconds, shards::mine());
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
