//! The label sets of the HTTP metrics: found fast, created once, bounded in number.
//!
//! A request finds its [`Endpoint`] (method and route) when it arrives and its [`StatusSeries`] when it ends. Both are
//! looked up without a lock once they exist. Creating one takes a lock and asks the limit first; past it, samples go to
//! the series of the route `_overflow`.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use http::Method;

use super::endpoint::{Endpoint, EndpointSeries, METHODS, Route, StatusSeries, method_index};
use super::exposition::label;
use super::histogram::{Bounds, Histogram};
use super::shards::InFlight;
use crate::logs::json;
use crate::trace_context::TraceId;

/// The label `route` of requests that no route matched.
pub(crate) const UNMATCHED: &str = "unmatched";
/// The label `route` of samples past the series limit.
const OVERFLOW: &str = "_overflow";
/// What a finished request adds to the metrics.
pub(crate) struct Sample<'a> {
    pub(crate) status: u16,
    pub(crate) nanoseconds: u64,
    pub(crate) request_bytes: u64,
    /// `None` where nobody counts them: the body of a streaming route.
    pub(crate) response_bytes: Option<u64>,
    pub(crate) trace_id: &'a TraceId,
    /// Since 1970.
    pub(crate) time: Duration,
}

/// All HTTP metrics of one telemetry.
pub(crate) struct HttpMetrics {
    pub(crate) in_flight: InFlight,
    durations: Arc<Bounds>,
    sizes: Arc<Bounds>,
    limit: usize,
    quiet: HashSet<String>,
    streaming: HashSet<String>,
    routes: RwLock<HashMap<Box<str>, Arc<Route>>>,
    /// In the order they were made. Its lock is the one that creating a series takes.
    created: Mutex<Vec<Arc<EndpointSeries>>>,
    label_sets: AtomicUsize,
    overflow: [OnceLock<Arc<EndpointSeries>>; METHODS.len()],
    overflowed: AtomicU64,
}

impl HttpMetrics {
    pub(crate) fn new(
        durations: Arc<Bounds>,
        sizes: Arc<Bounds>,
        limit: usize,
        quiet: HashSet<String>,
        streaming: HashSet<String>,
    ) -> Self {
        Self {
            in_flight: InFlight::new(),
            durations,
            sizes,
            limit,
            quiet,
            streaming,
            routes: RwLock::default(),
            created: Mutex::default(),
            label_sets: AtomicUsize::new(0),
            overflow: [const { OnceLock::new() }; METHODS.len()],
            overflowed: AtomicU64::new(0),
        }
    }

    /// Makes the series of a method and route exist, at zero, for the statuses 200 and 500.
    pub(crate) fn announce(&self, method: &Method, route: &str) {
        if route == OVERFLOW {
            // Never a second series of this name: a scraper would refuse both.
            self.overflow_status(&self.overflow_series(method_index(method)), 200);
            return;
        }
        let endpoint = self.endpoint(&self.route(route), method_index(method));
        if !endpoint.overflow && endpoint.series.status(200).is_none() {
            self.add_status(&endpoint.series, 200);
        }
    }

    pub(crate) fn route(&self, name: &str) -> Arc<Route> {
        let known = self.routes.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        known.unwrap_or_else(|| {
            if !self.has_room_for(2) {
                // Not kept: names that no series will ever use must not fill the memory.
                return Route::new(name);
            }
            let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(routes.entry(name.into()).or_insert_with(|| Route::new(name)))
        })
    }

    /// Whether this very route is the one that later requests of its name will find too.
    pub(crate) fn keeps(&self, route: &Arc<Route>) -> bool {
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        routes.get(&*route.name).is_some_and(|kept| Arc::ptr_eq(kept, route))
    }

    pub(crate) fn endpoint(&self, route: &Route, method: usize) -> Arc<Endpoint> {
        let slot = &route.endpoints[method];
        if let Some(endpoint) = slot.get() {
            return Arc::clone(endpoint);
        }
        let mut created = self.lock_created();
        // A new endpoint brings its status 500 and the status that made it known.
        if !self.has_room_for(2) && slot.get().is_none() {
            drop(created);
            return Arc::new(self.new_endpoint(route, method, self.overflow_series(method), true));
        }
        let endpoint = slot.get_or_init(|| {
            let series = Arc::new(self.new_series(&route.name, method));
            series.append(500, &self.durations);
            self.label_sets.fetch_add(1, Ordering::Relaxed);
            created.push(Arc::clone(&series));
            Arc::new(self.new_endpoint(route, method, series, false))
        });
        Arc::clone(endpoint)
    }

    /// Counts a finished request, once, in all its metrics.
    pub(crate) fn record(&self, endpoint: &Endpoint, sample: &Sample<'_>) {
        let mut series = &endpoint.series;
        let found = series.status(sample.status).or_else(|| self.add_status(series, sample.status));
        let overflow;
        let status = match found {
            Some(status) => status,
            None => {
                overflow = self.overflow_series(endpoint.method);
                series = &overflow;
                self.overflow_status(series, sample.status)
            }
        };
        if endpoint.overflow || found.is_none() {
            self.overflowed.fetch_add(1, Ordering::Relaxed);
        }
        let bucket = status.durations.observe_whole(sample.nanoseconds);
        status.exemplars.offer(bucket, sample.nanoseconds, sample.trace_id, sample.time);
        series.request_sizes.observe_whole(sample.request_bytes);
        if let Some(bytes) = sample.response_bytes {
            series.response_sizes.observe_whole(bytes);
        }
    }

    /// Every method and route there is, in the order they came.
    pub(crate) fn series(&self) -> Vec<Arc<EndpointSeries>> {
        self.lock_created().clone()
    }

    /// Label sets of `http_requests_total`.
    pub(crate) fn label_sets(&self) -> usize {
        self.label_sets.load(Ordering::Relaxed)
    }

    /// Samples that went to `_overflow`.
    pub(crate) fn overflowed(&self) -> u64 {
        self.overflowed.load(Ordering::Relaxed)
    }

    pub(crate) fn duration_bounds(&self) -> &Bounds {
        &self.durations
    }

    pub(crate) fn size_bounds(&self) -> &Bounds {
        &self.sizes
    }

    fn has_room_for(&self, label_sets: usize) -> bool {
        self.label_sets() + label_sets <= self.limit
    }

    fn lock_created(&self) -> MutexGuard<'_, Vec<Arc<EndpointSeries>>> {
        self.created.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn new_series(&self, route: &str, method: usize) -> EndpointSeries {
        let mut labels = String::new();
        label(&mut labels, "method", METHODS[method]);
        label(&mut labels, "route", route);
        EndpointSeries {
            labels,
            request_sizes: Histogram::new(Arc::clone(&self.sizes)),
            response_sizes: Histogram::new(Arc::clone(&self.sizes)),
            statuses: OnceLock::new(),
        }
    }

    fn new_endpoint(&self, route: &Route, method: usize, series: Arc<EndpointSeries>, overflow: bool) -> Endpoint {
        let mut text = format!(",\"method\":\"{}\",\"route\":", METHODS[method]).into_bytes();
        json::text_up_to(&mut text, &route.name, 1024);
        let quiet = self.quiet.contains(&*route.name);
        let streaming = self.streaming.contains(&*route.name);
        Endpoint { json: text, quiet, streaming, method, overflow, series }
    }

    /// A status that this method and route did not have yet; `None` past the limit.
    fn add_status<'a>(&self, series: &'a EndpointSeries, status: u16) -> Option<&'a StatusSeries> {
        let _creating = self.lock_created();
        let existing = series.status(status);
        if existing.is_some() || !self.has_room_for(1) {
            return existing;
        }
        self.label_sets.fetch_add(1, Ordering::Relaxed);
        Some(series.append(status, &self.durations))
    }

    fn overflow_series(&self, method: usize) -> Arc<EndpointSeries> {
        let series = self.overflow[method].get_or_init(|| {
            let series = Arc::new(self.new_series(OVERFLOW, method));
            let mut created = self.lock_created();
            series.append(500, &self.durations);
            self.label_sets.fetch_add(1, Ordering::Relaxed);
            created.push(Arc::clone(&series));
            series
        });
        Arc::clone(series)
    }

    /// The overflow series ask no limit: there are at most ten methods times the status codes of them.
    fn overflow_status<'a>(&self, series: &'a EndpointSeries, status: u16) -> &'a StatusSeries {
        let _creating = self.lock_created();
        series.status(status).unwrap_or_else(|| {
            self.label_sets.fetch_add(1, Ordering::Relaxed);
            series.append(status, &self.durations)
        })
    }
}
