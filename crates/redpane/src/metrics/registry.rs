//! All metrics of one telemetry, and how they are read.

use std::sync::{Arc, PoisonError, RwLock};

use super::calls::CallMetrics;
use super::catalogue;
use super::encode::{ExpositionFormat, encode};
use super::endpoint_series::{EndpointSeries, StatusSeries};
use super::histogram::{Histogram, Reading};
use super::http::HttpMetrics;
use super::label_text::push_label;
use super::recorder::Recorder;
use super::shards::Counter;
use super::snapshot::{Family, HistogramSnapshot, SeriesSnapshot, Value};
use super::streams::StreamMetrics;
use super::turn::Turn;

type ScrapeHook = Arc<dyn Fn() + Send + Sync>;
/// Reads families that are counted elsewhere.
pub(crate) type Source = Box<dyn Fn() -> Vec<Family> + Send + Sync>;

/// HTTP metrics of both sides, the application's metrics, and those of other rooms.
pub(crate) struct Registry {
    pub(crate) http: HttpMetrics,
    pub(crate) streams: StreamMetrics,
    pub(crate) calls: CallMetrics,
    pub(crate) recorder: Recorder,
    /// Access lines that sampling left out.
    pub(crate) lines_sampled_out: Counter,
    source: Source,
    build_labels: Arc<str>,
    hooks: RwLock<Vec<ScrapeHook>>,
    /// Held by the one scrape that renders.
    pub(super) turn: Arc<tokio::sync::Mutex<Turn>>,
}

impl Registry {
    /// `source` reads what is counted elsewhere; `version` and `revision` are the labels of `redpane_build_info`.
    pub(crate) fn new(
        http: HttpMetrics,
        streams: StreamMetrics,
        calls: CallMetrics,
        recorder: Recorder,
        source: Source,
        version: &str,
        revision: &str,
    ) -> Self {
        let mut build_labels = String::new();
        push_label(&mut build_labels, "version", version);
        push_label(&mut build_labels, "revision", revision);
        Self {
            http,
            streams,
            calls,
            recorder,
            lines_sampled_out: Counter::new(),
            source,
            build_labels: build_labels.into(),
            hooks: RwLock::default(),
            turn: Arc::default(),
        }
    }

    /// Runs `hook` before every snapshot.
    pub(crate) fn on_scrape(&self, hook: ScrapeHook) {
        self.hooks.write().unwrap_or_else(PoisonError::into_inner).push(hook);
    }

    /// Everything a scrape gets, as text. Takes milliseconds where there are thousands of series.
    pub(crate) fn render(&self, format: ExpositionFormat, capacity: usize) -> String {
        encode(&self.snapshot(format == ExpositionFormat::OpenMetrics), format, capacity)
    }

    /// Reads everything, after the hooks have run with this recorder as the current one. Exemplars are read only where
    /// they are wanted.
    pub(crate) fn snapshot(&self, exemplars: bool) -> Vec<Family> {
        // A copy: a hook may add another.
        let hooks = self.hooks.read().unwrap_or_else(PoisonError::into_inner).clone();
        metrics::with_local_recorder(&self.recorder, || hooks.iter().for_each(|hook| hook()));
        let mut families = self.http_families(exemplars);
        families.extend(self.streams.families());
        families.extend(self.calls.families());
        families.extend((self.source)());
        families.push(catalogue::LOG_SAMPLED_OUT.integer(self.lines_sampled_out.get()));
        families.push(catalogue::SERIES.integer(self.http.label_sets() as u64));
        families.push(catalogue::OVERFLOW.integer(self.http.overflowed() + self.calls.overflowed()));
        families.push(catalogue::BUILD_INFO.integers([(Arc::clone(&self.build_labels), 1)]));
        families.extend(self.recorder.snapshot());
        families
    }

    /// The counter and the histogram of a label set come from the same reading.
    fn http_families(&self, exemplars: bool) -> Vec<Family> {
        let endpoints: Vec<&EndpointSeries> = self.http.endpoints().collect();
        let statuses = endpoints.iter().flat_map(|endpoint| endpoint.statuses());
        let readings: Vec<(&StatusSeries, Reading)> =
            statuses.map(|status| (status, status.durations.read())).collect();
        let counts = readings.iter().map(|(status, reading)| (Arc::clone(&status.labels), reading.count()));
        let requests = catalogue::REQUESTS.integers(counts);
        let durations = readings.into_iter().map(|(status, reading)| {
            let read = |bucket| status.exemplars.get(bucket);
            let exemplars = if exemplars { (0..reading.buckets.len()).map(read).collect() } else { Vec::new() };
            series(&status.labels, &status.durations, reading, exemplars)
        });
        let durations = catalogue::DURATION.family(durations.collect());
        let sizes = |of: fn(&EndpointSeries) -> &Histogram| {
            let read =
                |endpoint: &&EndpointSeries| series(&endpoint.labels, of(endpoint), of(endpoint).read(), Vec::new());
            endpoints.iter().map(read).collect()
        };
        vec![
            requests,
            durations,
            catalogue::IN_FLIGHT.integer(self.http.in_flight.get()),
            catalogue::REQUEST_SIZE.family(sizes(|endpoint| &endpoint.request_sizes)),
            catalogue::RESPONSE_SIZE.family(sizes(|endpoint| &endpoint.response_sizes)),
        ]
    }
}

fn series(
    labels: &Arc<str>,
    histogram: &Histogram,
    reading: Reading,
    exemplars: Vec<Option<super::exemplars::Exemplar>>,
) -> SeriesSnapshot {
    let bounds = Arc::clone(histogram.bounds());
    SeriesSnapshot {
        labels: Arc::clone(labels),
        value: Value::Histogram(HistogramSnapshot { bounds, reading, exemplars }),
    }
}
