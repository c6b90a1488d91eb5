//! All metrics of one telemetry, and how they are read.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, PoisonError, RwLock};

use super::calls::CallMetrics;
use super::catalogue;
use super::encode::{ExpositionFormat, encode};
use super::endpoint_series::{EndpointSeries, StatusSeries};
use super::exemplars::Exemplar;
use super::grpc::GrpcMetrics;
use super::histogram::{Histogram, Reading};
use super::http::HttpMetrics;
use super::label_text::push_label;
use super::otel::{self, MetricNames, Shown, Target};
use super::recorder::Recorder;
use super::shards::Counter;
use super::snapshot::{Family, HistogramSnapshot, SeriesSnapshot, Value};
use super::streams::StreamMetrics;
use super::turn::Turn;

type ScrapeHook = Arc<dyn Fn() + Send + Sync>;
/// Reads families that are counted elsewhere.
pub(crate) type Source = Box<dyn Fn() -> Vec<Family> + Send + Sync>;

/// A status of an endpoint, read.
type Duration<'a> = (&'a EndpointSeries, &'a StatusSeries, Reading, Vec<Option<Exemplar>>);
type Labelled = (Arc<str>, HistogramSnapshot);

/// What was counted of a method, a route and declared labels.
#[cfg(feature = "pane")]
pub(crate) struct EndpointReading<'a> {
    pub(crate) endpoint: &'a EndpointSeries,
    /// gRPC calls whose code is the server's fault, under a status below 500.
    pub(crate) failed_calls: u64,
    /// Requests by status and bucket of duration.
    pub(crate) statuses: Vec<(u16, Vec<u64>)>,
}

/// Which names are shown, and in which buckets where requests are counted in finer ones.
pub(crate) struct Naming {
    pub(crate) names: MetricNames,
    pub(crate) redpane: Option<Shown>,
    pub(crate) otel: Option<Shown>,
    pub(crate) target: Target,
}

/// HTTP metrics of both sides, the application's metrics, and those of other rooms.
pub(crate) struct Registry {
    pub(crate) http: HttpMetrics,
    pub(crate) streams: StreamMetrics,
    pub(crate) grpc: GrpcMetrics,
    pub(crate) calls: CallMetrics,
    pub(crate) recorder: Recorder,
    /// Access lines that sampling left out.
    pub(crate) lines_sampled_out: Counter,
    source: Source,
    names: Naming,
    build_labels: Arc<str>,
    hooks: RwLock<Vec<ScrapeHook>>,
    /// Held by the one scrape that renders.
    pub(super) turn: Arc<tokio::sync::Mutex<Turn>>,
}

impl Registry {
    /// `source` reads what is counted elsewhere, `names` are those of the HTTP metrics; `version` and `revision` are the labels of `redpane_build_info`.
    pub(crate) fn new(
        http: HttpMetrics,
        (streams, grpc): (StreamMetrics, GrpcMetrics),
        calls: CallMetrics,
        recorder: Recorder,
        source: Source,
        names: Naming,
        [version, revision]: [&str; 2],
    ) -> Self {
        let mut build_labels = String::new();
        push_label(&mut build_labels, "version", version);
        push_label(&mut build_labels, "revision", revision);
        Self {
            http,
            streams,
            grpc,
            calls,
            recorder,
            lines_sampled_out: Counter::new(),
            source,
            names,
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
        self.run_hooks();
        let durations = self.durations(exemplars);
        let otel = self.otel_families(&durations);
        let mut families = Vec::new();
        if self.names.names.has_redpane() {
            let durations = self.merged(durations);
            let counts = durations.iter().map(|(labels, histogram)| (Arc::clone(labels), histogram.reading.count()));
            families.push(catalogue::REQUESTS.integers(counts));
            families.push(catalogue::DURATION.family(durations.into_iter().map(histogram).collect()));
            families.extend(self.own_families());
        }
        families.extend(otel);
        families.extend(self.other_families());
        families.extend(self.recorder.snapshot());
        families
    }

    /// The same without exemplars and in another form: what was counted of each request, whatever the names of a scrape are,
    /// and all families but those that it is in under redpane's own names, and those that the application records.
    #[cfg(feature = "pane")]
    pub(crate) fn snapshot_by_endpoint(&self) -> (Vec<EndpointReading<'_>>, Vec<Family>) {
        let durations = self.durations(false);
        let mut families = self.otel_families(&durations);
        if self.names.names.has_redpane() {
            families.extend(self.own_families());
        }
        families.extend(self.other_families());
        let mut endpoints: Vec<EndpointReading<'_>> = Vec::new();
        for (endpoint, status, reading, _) in durations {
            if endpoints.last().is_none_or(|last| !std::ptr::eq(last.endpoint, endpoint)) {
                // After the durations: see `count_failed_call`.
                endpoints.push(EndpointReading {
                    endpoint,
                    failed_calls: endpoint.failed_calls(),
                    statuses: Vec::new(),
                });
            }
            let reading = match &self.names.redpane {
                Some(shown) => shown.show(&reading, &[]).reading,
                None => reading,
            };
            if let Some(last) = endpoints.last_mut() {
                last.statuses.push((status.status, reading.buckets));
            }
        }
        (endpoints, families)
    }

    /// What the application records, after the hooks have run.
    #[cfg(feature = "pane")]
    pub(crate) fn snapshot_of_application(&self) -> Vec<Family> {
        self.run_hooks();
        self.recorder.snapshot()
    }

    fn run_hooks(&self) {
        // A copy: a hook may add another.
        let hooks = self.hooks.read().unwrap_or_else(PoisonError::into_inner).clone();
        metrics::with_local_recorder(&self.recorder, || hooks.iter().for_each(|hook| hook()));
    }

    fn other_families(&self) -> Vec<Family> {
        let mut families = Vec::new();
        families.extend(self.grpc.families());
        families.extend(self.streams.families());
        families.extend(self.calls.families());
        families.extend((self.source)());
        families.push(catalogue::LOG_SAMPLED_OUT.integer(self.lines_sampled_out.get()));
        families.push(catalogue::SERIES.integer(self.http.label_sets() as u64));
        families.push(catalogue::OVERFLOW.integer(self.http.overflowed() + self.calls.overflowed()));
        families.push(catalogue::BUILD_INFO.integers([(Arc::clone(&self.build_labels), 1)]));
        families
    }

    /// What all counters and histograms of requests are made of, whatever their names are: one reading.
    fn durations(&self, exemplars: bool) -> Vec<Duration<'_>> {
        let endpoints = self.http.endpoints();
        let statuses = endpoints.flat_map(|endpoint| endpoint.statuses().map(move |status| (endpoint, status)));
        statuses
            .map(|(endpoint, status)| {
                let reading = status.durations.read();
                let read = |bucket| status.exemplars.get(bucket);
                let exemplars = if exemplars { (0..reading.buckets.len()).map(read).collect() } else { Vec::new() };
                (endpoint, status, reading, exemplars)
            })
            .collect()
    }

    fn otel_families(&self, durations: &[Duration<'_>]) -> Vec<Family> {
        let otel = self.names.otel.as_ref();
        otel.map(|shown| otel::families(&self.http, durations, shown, &self.names.target)).unwrap_or_default()
    }

    /// What is counted of requests beside their durations, under redpane's own names.
    fn own_families(&self) -> [Family; 3] {
        let sizes = |of: fn(&EndpointSeries) -> &Histogram| {
            let sizes = self.http.endpoints().map(|endpoint| {
                let (bounds, reading) = (Arc::clone(of(endpoint).bounds()), of(endpoint).read());
                (Arc::clone(&endpoint.labels), HistogramSnapshot { bounds, reading, exemplars: Vec::new() })
            });
            self.merge(sizes.collect()).into_iter().map(histogram).collect()
        };
        [
            catalogue::IN_FLIGHT.integer(self.http.in_flight.get()),
            catalogue::REQUEST_SIZE.family(sizes(|endpoint| &endpoint.request_sizes)),
            catalogue::RESPONSE_SIZE.family(sizes(|endpoint| &endpoint.response_sizes)),
        ]
    }

    /// The durations by the labels of redpane's own names, in their own buckets.
    fn merged(&self, durations: Vec<Duration<'_>>) -> Vec<Labelled> {
        let shown = durations.into_iter().map(|(_, status, reading, exemplars)| {
            let snapshot = match &self.names.redpane {
                Some(shown) => shown.show(&reading, &exemplars),
                None => HistogramSnapshot { bounds: Arc::clone(status.durations.bounds()), reading, exemplars },
            };
            (Arc::clone(&status.labels), snapshot)
        });
        self.merge(shown.collect())
    }

    /// Makes one of histograms that differ in their scheme alone, which redpane's own names do not tell.
    fn merge(&self, histograms: Vec<Labelled>) -> Vec<Labelled> {
        if !self.http.dimensions().has_schemes() {
            return histograms;
        }
        let mut merged: Vec<Labelled> = Vec::new();
        let mut places = HashMap::new();
        for (labels, histogram) in histograms {
            match places.entry(Arc::clone(&labels)) {
                Entry::Vacant(free) => {
                    free.insert(merged.len());
                    merged.push((labels, histogram));
                }
                Entry::Occupied(place) => {
                    let into = &mut merged[*place.get()].1;
                    into.reading.sum += histogram.reading.sum;
                    let buckets = into.reading.buckets.iter_mut().zip(histogram.reading.buckets);
                    buckets.for_each(|(into, count)| *into += count);
                    let exemplars = into.exemplars.iter_mut().zip(histogram.exemplars);
                    exemplars.for_each(|(into, other)| *into = into.or(other));
                }
            }
        }
        merged
    }
}

fn histogram((labels, histogram): Labelled) -> SeriesSnapshot {
    SeriesSnapshot { labels, value: Value::Histogram(histogram) }
}
