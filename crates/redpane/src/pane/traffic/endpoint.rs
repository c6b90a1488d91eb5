//! A method and route with a ring of its own, and one that may get it.

use super::super::counts::{BUCKETS, CLASSES, Counts, errors};
use super::super::input;

/// The history of a method and route.
pub(in crate::pane) struct Endpoint {
    pub(in crate::pane) method: String,
    pub(in crate::pane) route: String,
    /// Health checks and scrapes, which totals leave out.
    pub(in crate::pane) is_probe: bool,
    pub(in crate::pane) counts: Counts,
    /// Its place among those of a snapshot.
    pub(super) number: usize,
    pub(super) before: Vec<u64>,
    pub(super) increase: Vec<u64>,
    pub(super) last_request: u64,
    pub(super) last_error: Option<u64>,
}

/// What is known of a method and route, whether it has a ring or not.
#[derive(Clone, Copy, Default)]
pub(super) struct Known {
    pub(super) has_ring: bool,
    pub(super) is_probe: bool,
    pub(super) requests: u64,
    pub(super) errors: u64,
}

/// A method and route with requests, but no ring.
pub(super) struct Newcomer {
    pub(super) number: usize,
    /// What it had before that is counted elsewhere.
    pub(super) before: Vec<u64>,
    /// Errors since the snapshot before.
    pub(super) errors: u64,
}

impl Newcomer {
    pub(super) fn new(number: usize, mut now: Vec<u64>, before: Known, errors: u64) -> Self {
        if before.requests == 0 {
            now.fill(0);
        } else {
            // The error for which it gets its ring is in it.
            let last = CLASSES - 1;
            let answers = errors.min(now[last]);
            now[last] -= answers;
            now[CLASSES] = now[CLASSES].saturating_sub(errors - answers);
        }
        Self { number, before: now, errors }
    }
}

impl Endpoint {
    /// Reads what has been counted since the snapshot before.
    pub(super) fn read(&mut self, now: &input::Endpoint, second: u64) {
        let now = row(now);
        self.increase = increase(&now, &self.before);
        self.before = now;
        if self.increase[..BUCKETS].iter().any(|count| *count > 0) {
            self.last_request = second;
        }
        if errors(&self.increase) > 0 {
            self.last_error = Some(second);
        }
    }
}

pub(super) fn row(endpoint: &input::Endpoint) -> Vec<u64> {
    cells(endpoint).collect()
}

pub(super) fn cells(endpoint: &input::Endpoint) -> impl Iterator<Item = u64> {
    endpoint.classes.iter().chain([&endpoint.failed_calls]).chain(&endpoint.buckets).copied()
}

pub(super) fn increase(now: &[u64], before: &[u64]) -> Vec<u64> {
    now.iter().zip(before).map(|(now, before)| now.saturating_sub(*before)).collect()
}
