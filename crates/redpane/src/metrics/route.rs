//! Where a route's name leads.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// The label `route` of requests that no route matched.
pub(crate) const UNMATCHED: &str = "unmatched";
/// The label `route` of samples past the series limit.
pub(crate) const OVERFLOW: &str = "_overflow";
/// No number of a series.
const NONE: u32 = u32::MAX;

/// A route, and the numbers of its series by those of its [dimensions](super::dimensions).
pub(crate) struct Route {
    name: Box<str>,
    series: Box<[AtomicU32]>,
}

impl Route {
    pub(crate) fn new(name: &str, dimensions: usize) -> Arc<Self> {
        Arc::new(Self { name: name.into(), series: (0..dimensions).map(|_| AtomicU32::new(NONE)).collect() })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The series of a method and its declared labels, if there are some already. Once there, they stay.
    pub(crate) fn series(&self, dimension: usize) -> Option<u32> {
        // With the `Release` of `set_series`: who sees the number finds the series.
        let number = self.series[dimension].load(Ordering::Acquire);
        (number != NONE).then_some(number)
    }

    pub(crate) fn set_series(&self, dimension: usize, number: u32) {
        self.series[dimension].store(number, Ordering::Release);
    }
}
