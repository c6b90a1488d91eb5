//! The label sets of the HTTP metrics: found fast, created once, bounded in number.
//!
//! A request finds its [`EndpointSeries`] (method and route) when it arrives and the series of its status when it ends.
//! Both are looked up without a lock once they exist. Creating one takes a lock and asks the limit first; past it, samples
//! go to the series of the route `_overflow`.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};

use http::Method;

use super::arena::Arena;
use super::dimensions::Dimensions;
use super::endpoint_series::{EndpointSeries, StatusSeries};
use super::histogram::Bounds;
use super::route::{OVERFLOW, Route};
use super::shards::{self, InFlight};
use crate::request::endpoint::EndpointInfo;
use crate::request::finished::FinishedRequest;
use crate::request::grpc::GrpcCode;
use crate::request::method::method_index;

/// Describes a method and route, once for all of its requests.
pub(crate) type Describe = Box<dyn Fn(&'static str, &str) -> EndpointInfo + Send + Sync>;

/// Where the requests of a method and route are counted.
#[derive(Clone)]
pub(crate) enum Series {
    /// In the series of this number.
    Own(u32),
    /// In those of the route `_overflow`, past the limit. The description is the request's own.
    Overflow(Arc<EndpointInfo>, u32),
}

/// The series that a request is counted in, found.
#[derive(Clone, Copy)]
pub(crate) struct Counted<'a> {
    endpoint: &'a EndpointSeries,
    is_overflow: bool,
}

/// All HTTP metrics of one telemetry.
pub(crate) struct HttpMetrics {
    /// Requests being served, without the next.
    pub(crate) in_flight: InFlight,
    /// Those whose route logs failures only. The scrape that reads the gauge is one of them, and would keep it from ever
    /// being 0.
    failures_only_in_flight: InFlight,
    durations: Arc<Bounds>,
    sizes: Arc<Bounds>,
    limit: usize,
    dimensions: Dimensions,
    describe: Describe,
    routes: RwLock<HashMap<Box<str>, Arc<Route>>>,
    endpoints: Arena<EndpointSeries>,
    /// Held while a label set is created.
    creating: Mutex<()>,
    label_sets: AtomicUsize,
    /// Numbers of the overflow series, by dimension.
    overflow: Box<[OnceLock<u32>]>,
    /// Label sets of theirs that have declared labels, within the limit once more. Past that they are `_other`.
    overflow_label_sets: AtomicUsize,
    overflowed: AtomicU64,
}

impl HttpMetrics {
    pub(crate) fn new(
        durations: Arc<Bounds>,
        sizes: Arc<Bounds>,
        limit: usize,
        dimensions: Dimensions,
        describe: Describe,
    ) -> Self {
        Self {
            in_flight: InFlight::new(),
            failures_only_in_flight: InFlight::new(),
            durations,
            sizes,
            limit,
            overflow: (0..dimensions.count()).map(|_| OnceLock::new()).collect(),
            dimensions,
            describe,
            routes: RwLock::default(),
            endpoints: Arena::new(),
            creating: Mutex::new(()),
            label_sets: AtomicUsize::new(0),
            overflow_label_sets: AtomicUsize::new(0),
            overflowed: AtomicU64::new(0),
        }
    }

    /// Makes the series of a method and route exist, at zero, for the statuses 200 and 500 and all declared labels.
    pub(crate) fn preregister(&self, method: &Method, route: &str) {
        for number in self.dimensions.of_method(method_index(method)) {
            if route == OVERFLOW {
                // Never a second series of this name: a scraper would refuse both.
                self.overflow_status(self.overflow_series(number), 200);
            } else if let Series::Own(series) = self.series(&self.route(route), number) {
                let _ = self.status(self.endpoints.get(series), 200);
            }
        }
    }

    /// The route of a name. Past the limit it is made for this request only: names that no series will ever use must not
    /// fill the memory.
    pub(crate) fn route(&self, name: &str) -> Arc<Route> {
        self.known_route(name).unwrap_or_else(|| {
            if !self.has_room_for(2) {
                return Route::new(name, self.dimensions.count());
            }
            let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(routes.entry(name.into()).or_insert_with(|| Route::new(name, self.dimensions.count())))
        })
    }

    /// The route of a name that was asked for before.
    pub(crate) fn known_route(&self, name: &str) -> Option<Arc<Route>> {
        self.routes.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Whether later requests of this name find this very route too.
    pub(crate) fn keeps(&self, route: &Arc<Route>) -> bool {
        self.known_route(route.name()).is_some_and(|kept| Arc::ptr_eq(&kept, route))
    }

    /// Where the requests of a route are counted that have the dimensions of this number.
    pub(crate) fn series(&self, route: &Route, dimension: usize) -> Series {
        if let Some(number) = route.series(dimension) {
            return Series::Own(number);
        }
        if route.name() == OVERFLOW {
            // Never a second series of this name: a scraper would refuse both.
            return Series::Own(self.overflow_series(dimension));
        }
        let info = (self.describe)(Dimensions::method(dimension), route.name());
        let creating = self.lock();
        match route.series(dimension) {
            Some(number) => Series::Own(number),
            // A new method and route bring the status 500 and the status that made them known.
            None if !self.has_room_for(2) => {
                drop(creating);
                Series::Overflow(Arc::new(info), self.overflow_series(dimension))
            }
            None => {
                let number = self.create(dimension, info);
                route.set_series(dimension, number);
                Series::Own(number)
            }
        }
    }

    /// The description of the requests that are counted there, and their series.
    pub(crate) fn endpoint<'a>(&'a self, series: &'a Series) -> (&'a EndpointInfo, Counted<'a>) {
        let (Series::Own(number) | Series::Overflow(_, number)) = series;
        let endpoint = self.endpoints.get(*number);
        match series {
            Series::Own(_) => (&endpoint.info, Counted { endpoint, is_overflow: false }),
            Series::Overflow(info, _) => (info, Counted { endpoint, is_overflow: true }),
        }
    }

    pub(crate) fn dimensions(&self) -> &Dimensions {
        &self.dimensions
    }

    /// Where a request is counted while it is served.
    pub(crate) fn serving(&self, failures_only: bool) -> &InFlight {
        if failures_only { &self.failures_only_in_flight } else { &self.in_flight }
    }

    /// All requests being served.
    pub(crate) fn being_served(&self) -> u64 {
        self.in_flight.get() + self.failures_only_in_flight.get()
    }

    /// How many requests of a method, a route and a status there were, whatever their other labels are.
    pub(crate) fn count(&self, method: &str, route: &str, status: u16) -> u64 {
        let endpoints =
            self.endpoints().filter(|endpoint| endpoint.info.method == method && &*endpoint.info.route == route);
        endpoints.filter_map(|endpoint| endpoint.status(status)).map(|status| status.durations.read().count()).sum()
    }

    /// Counts a finished request, once, in all its metrics. `has_trace` says that its trace id leads somewhere.
    pub(crate) fn record(&self, counted: Counted<'_>, request: &FinishedRequest<'_>, has_trace: bool) {
        let Counted { mut endpoint, is_overflow: mut overflowed } = counted;
        let found = if overflowed { None } else { self.status(endpoint, request.status) };
        let status = found.unwrap_or_else(|| {
            overflowed = true;
            let status;
            (endpoint, status) = self.overflow_status(self.overflow_series(endpoint.number), request.status);
            status
        });
        if overflowed {
            self.overflowed.fetch_add(1, Ordering::Relaxed);
        }
        if request.status < 500 && request.grpc_code.is_some_and(GrpcCode::is_servers_fault) {
            endpoint.count_failed_call();
        }
        let shard = shards::mine();
        let bucket = status.durations.observe_whole(request.nanoseconds, shard);
        if has_trace {
            status.exemplars.offer(bucket, request.nanoseconds, request.trace_id(), request.ended);
        }
        if let Some(bytes) = request.request_bytes() {
            endpoint.request_sizes.observe_whole(bytes, shard);
        }
        if let Some(bytes) = request.response_bytes {
            endpoint.response_sizes.observe_whole(bytes, shard);
        }
    }

    /// Counts the end of a stream that was a gRPC call and failed. Its request was counted at its headers, when nobody knew
    /// that.
    pub(crate) fn record_failed_stream(&self, counted: Counted<'_>) {
        counted.endpoint.count_failed_call();
    }

    /// Every method and route there is, in the order they came.
    pub(crate) fn endpoints(&self) -> impl Iterator<Item = &EndpointSeries> {
        self.endpoints.iter()
    }

    /// Label sets of `http_requests_total`.
    pub(crate) fn label_sets(&self) -> usize {
        self.label_sets.load(Ordering::Relaxed)
    }

    /// Samples that went to `_overflow`.
    pub(crate) fn overflowed(&self) -> u64 {
        self.overflowed.load(Ordering::Relaxed)
    }

    fn has_room_for(&self, label_sets: usize) -> bool {
        self.label_sets() + label_sets <= self.limit
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.creating.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Creates the series of a method and route with their status 500, under the lock.
    fn create(&self, dimension: usize, info: EndpointInfo) -> u32 {
        let declared = self.dimensions.label_text(dimension);
        let series = EndpointSeries::new(dimension, info, declared, &self.sizes);
        series.add_status(500, &self.durations);
        self.label_sets.fetch_add(1, Ordering::Relaxed);
        self.endpoints.push(series)
    }

    /// The series of a status, created if it is new; `None` past the limit.
    fn status<'a>(&self, endpoint: &'a EndpointSeries, status: u16) -> Option<&'a StatusSeries> {
        endpoint.status(status).or_else(|| {
            let _creating = self.lock();
            endpoint.status(status).or_else(|| self.has_room_for(1).then(|| self.add_status(endpoint, status)))
        })
    }

    /// The series of the route `_overflow` for a dimension. Past the limit once more, declared labels are `_other` in new ones.
    fn overflow_series(&self, dimension: usize) -> u32 {
        let is_new = self.overflow[dimension].get().is_none();
        let dimension = if is_new && self.overflow_is_full() { self.dimensions.other(dimension) } else { dimension };
        *self.overflow[dimension].get_or_init(|| {
            let _creating = self.lock();
            self.overflow_label_sets.fetch_add(1, Ordering::Relaxed);
            self.create(dimension, (self.describe)(Dimensions::method(dimension), OVERFLOW))
        })
    }

    fn overflow_is_full(&self) -> bool {
        self.overflow_label_sets.load(Ordering::Relaxed) >= self.limit
    }

    /// The overflow series ask no limit where their declared labels are `_other`: there are at most as many as methods times
    /// status codes.
    fn overflow_status(&self, number: u32, status: u16) -> (&EndpointSeries, &StatusSeries) {
        let mut endpoint = self.endpoints.get(number);
        if let Some(known) = endpoint.status(status) {
            return (endpoint, known);
        }
        if self.overflow_is_full() {
            endpoint = self.endpoints.get(self.overflow_series(self.dimensions.other(endpoint.number)));
        }
        let _creating = self.lock();
        let known = endpoint.status(status);
        (
            endpoint,
            known.unwrap_or_else(|| {
                self.overflow_label_sets.fetch_add(1, Ordering::Relaxed);
                self.add_status(endpoint, status)
            }),
        )
    }

    fn add_status<'a>(&self, endpoint: &'a EndpointSeries, status: u16) -> &'a StatusSeries {
        self.label_sets.fetch_add(1, Ordering::Relaxed);
        endpoint.add_status(status, &self.durations)
    }
}
