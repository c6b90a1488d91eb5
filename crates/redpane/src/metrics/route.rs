//! Where a route's name leads.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::method::METHODS;

/// The label `route` of requests that no route matched.
pub(crate) const UNMATCHED: &str = "unmatched";
/// The label `route` of samples past the series limit.
pub(crate) const OVERFLOW: &str = "_overflow";
/// No number of a series.
const NONE: u32 = u32::MAX;

/// A route, and the numbers of its series by method.
pub(crate) struct Route {
    name: Box<str>,
    series: [AtomicU32; METHODS.len()],
}

impl Route {
    pub(crate) fn new(name: &str) -> Arc<Self> {
        Arc::new(Self { name: name.into(), series: [const { AtomicU32::new(NONE) }; METHODS.len()] })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The series of a method, if there are some already. Once there, they stay.
    pub(crate) fn series(&self, method: usize) -> Option<u32> {
        // With the `Release` of `set_series`: who sees the number finds the series.
        let number = self.series[method].load(Ordering::Acquire);
        (number != NONE).then_some(number)
    }

    pub(crate) fn set_series(&self, method: usize, number: u32) {
        self.series[method].store(number, Ordering::Release);
    }
}
