//! Everything that is counted for a method and route.

use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use super::exemplars::Exemplars;
use super::histogram::{Bounds, Histogram};
use super::label_text::push_label;
use crate::request::endpoint::EndpointInfo;

/// Statuses whose series lie in the endpoint itself: few endpoints answer with more.
const INLINE_STATUSES: usize = 4;
/// No status: a place that is free.
const FREE: u16 = 0;

/// The series of a method and route. Its first lines in memory are what a request touches.
pub(crate) struct EndpointSeries {
    statuses: Statuses,
    pub(crate) request_sizes: Histogram,
    pub(crate) response_sizes: Histogram,
    pub(crate) info: EndpointInfo,
    /// The number of its method and its declared labels.
    pub(crate) number: usize,
    /// `method="GET",route="/"`, and declared labels.
    pub(crate) labels: Arc<str>,
    /// gRPC calls whose code is the server's fault, under a status that does not say so.
    failed_calls: AtomicU64,
}

/// The duration histogram of a method, route and status.
pub(crate) struct StatusSeries {
    pub(crate) durations: Histogram,
    pub(crate) exemplars: Exemplars,
    pub(crate) status: u16,
    /// `method="GET",route="/",status="200"`.
    pub(crate) labels: Arc<str>,
}

/// A list that only grows, so it is read without a lock. The codes stand in front, so that a look-up touches only the
/// series that it finds.
struct Statuses {
    codes: [AtomicU16; INLINE_STATUSES],
    series: [OnceLock<StatusSeries>; INLINE_STATUSES],
    more: OnceLock<Box<Statuses>>,
}

impl Statuses {
    fn new() -> Self {
        Self {
            codes: [const { AtomicU16::new(FREE) }; INLINE_STATUSES],
            series: [const { OnceLock::new() }; INLINE_STATUSES],
            more: OnceLock::new(),
        }
    }

    fn find(&self, status: u16) -> Option<&StatusSeries> {
        // With the `Release` of `push`: who sees the code sees the series.
        match self.codes.iter().position(|code| code.load(Ordering::Acquire) == status) {
            Some(at) => self.series[at].get(),
            None => self.more.get().and_then(|more| more.find(status)),
        }
    }

    fn push(&self, status: u16, series: StatusSeries) -> &StatusSeries {
        match self.codes.iter().position(|code| code.load(Ordering::Relaxed) == FREE) {
            Some(at) => {
                let series = self.series[at].get_or_init(|| series);
                self.codes[at].store(status, Ordering::Release);
                series
            }
            None => self.more.get_or_init(|| Box::new(Self::new())).push(status, series),
        }
    }

    /// In the order they came.
    fn iter(&self) -> Box<dyn Iterator<Item = &StatusSeries> + '_> {
        let inline = self.series.iter().map_while(OnceLock::get);
        match self.more.get() {
            Some(more) => Box::new(inline.chain(more.iter())),
            None => Box::new(inline),
        }
    }
}

impl EndpointSeries {
    /// `declared` are the labels of the application's own, as a text.
    pub(crate) fn new(number: usize, info: EndpointInfo, declared: &str, sizes: &Arc<Bounds>) -> Self {
        let mut labels = String::new();
        push_label(&mut labels, "method", info.method);
        push_label(&mut labels, "route", &info.route);
        if !declared.is_empty() {
            labels.extend([",", declared]);
        }
        Self {
            statuses: Statuses::new(),
            request_sizes: Histogram::new(Arc::clone(sizes)),
            response_sizes: Histogram::new(Arc::clone(sizes)),
            info,
            number,
            labels: labels.into(),
            failed_calls: AtomicU64::new(0),
        }
    }

    /// Counts a gRPC call that has failed. Before its duration, where it ends with that: a reader must not see a call that
    /// went well turn into one that failed.
    pub(crate) fn count_failed_call(&self) {
        self.failed_calls.fetch_add(1, Ordering::Relaxed);
    }

    #[cfg(feature = "pane")]
    pub(crate) fn failed_calls(&self) -> u64 {
        self.failed_calls.load(Ordering::Relaxed)
    }

    /// The statuses seen so far, and 500.
    pub(crate) fn statuses(&self) -> impl Iterator<Item = &StatusSeries> {
        self.statuses.iter()
    }

    pub(crate) fn status(&self, status: u16) -> Option<&StatusSeries> {
        self.statuses.find(status)
    }

    /// Appends a status. The caller holds the lock that all label sets are created under.
    pub(crate) fn add_status(&self, status: u16, durations: &Arc<Bounds>) -> &StatusSeries {
        let mut labels = self.labels.to_string();
        push_label(&mut labels, "status", &status.to_string());
        let series = StatusSeries {
            durations: Histogram::new(Arc::clone(durations)),
            exemplars: Exemplars::new(durations.buckets()),
            status,
            labels: labels.into(),
        };
        self.statuses.push(status, series)
    }
}
