//! Routes, methods and statuses, and the histograms under them.

use std::sync::{Arc, OnceLock};

use http::Method;

use super::exemplars::Exemplars;
use super::exposition::label;
use super::histogram::{Bounds, Histogram};

/// The values of the label `method`.
pub(super) const METHODS: [&str; 10] =
    ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "_OTHER"];

/// The position of a method in [`METHODS`]; what is none of the nine standard ones (RFC 9110 and 5789) is `_OTHER`.
pub(crate) fn method_index(method: &Method) -> usize {
    match *method {
        Method::GET => 0,
        Method::HEAD => 1,
        Method::POST => 2,
        Method::PUT => 3,
        Method::DELETE => 4,
        Method::CONNECT => 5,
        Method::OPTIONS => 6,
        Method::TRACE => 7,
        Method::PATCH => 8,
        _ => 9,
    }
}

/// A route and the endpoints under it.
pub(crate) struct Route {
    pub(super) name: Box<str>,
    pub(super) endpoints: [OnceLock<Arc<Endpoint>>; METHODS.len()],
}

/// A method and route, and how its requests are treated.
pub(crate) struct Endpoint {
    /// `,"method":"GET","route":"/"`, ready for the access line.
    pub(crate) json: Vec<u8>,
    pub(crate) quiet: bool,
    pub(crate) streaming: bool,
    pub(super) method: usize,
    pub(super) overflow: bool,
    pub(super) series: Arc<EndpointSeries>,
}

/// The histograms of a method and route.
pub(crate) struct EndpointSeries {
    /// `method="GET",route="/"`.
    pub(crate) labels: String,
    pub(crate) request_sizes: Histogram,
    pub(crate) response_sizes: Histogram,
    pub(super) statuses: OnceLock<Box<StatusSeries>>,
}

/// The histogram of a method, route and status. A node of a list that only grows, so it is read without a lock.
pub(crate) struct StatusSeries {
    status: u16,
    /// `method="GET",route="/",status="200"`.
    pub(crate) labels: String,
    pub(crate) durations: Histogram,
    pub(crate) exemplars: Exemplars,
    next: OnceLock<Box<StatusSeries>>,
}

impl Route {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The endpoint of a method, if it has had a request already. Once there, it stays.
    pub(crate) fn endpoint(&self, method: usize) -> Option<&Endpoint> {
        self.endpoints[method].get().map(|endpoint| &**endpoint)
    }

    pub(super) fn new(name: &str) -> Arc<Self> {
        Arc::new(Self { name: name.into(), endpoints: [const { OnceLock::new() }; METHODS.len()] })
    }
}

impl EndpointSeries {
    /// The statuses seen so far, and 500.
    pub(crate) fn statuses(&self) -> impl Iterator<Item = &StatusSeries> {
        let mut next = &self.statuses;
        std::iter::from_fn(move || {
            let series = next.get()?;
            next = &series.next;
            Some(&**series)
        })
    }

    pub(super) fn status(&self, status: u16) -> Option<&StatusSeries> {
        self.statuses().find(|series| series.status == status)
    }

    /// Appends a status. Only called under the lock on `created`, so no two threads append at once.
    pub(super) fn append(&self, status: u16, bounds: &Arc<Bounds>) -> &StatusSeries {
        let mut labels = self.labels.clone();
        label(&mut labels, "status", &status.to_string());
        let series = StatusSeries {
            status,
            labels,
            durations: Histogram::new(Arc::clone(bounds)),
            exemplars: Exemplars::new(bounds.buckets()),
            next: OnceLock::new(),
        };
        let end = self.statuses().last().map_or(&self.statuses, |last| &last.next);
        end.get_or_init(|| Box::new(series))
    }
}
