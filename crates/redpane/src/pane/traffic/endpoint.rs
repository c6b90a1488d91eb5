//! A method and route with a ring of its own, and one that may get it.

use super::super::counts::{BUCKETS, Counts, errors};
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
    pub(super) last_slow: Option<u64>,
}

/// What is known of a method and route, whether it has a ring or not.
#[derive(Default)]
pub(super) struct Known {
    pub(super) has_ring: bool,
    pub(super) is_probe: bool,
    /// At the snapshot before; empty where it was in none.
    pub(super) before: Vec<u64>,
}

/// A method and route with requests, but no ring.
pub(super) struct Newcomer {
    pub(super) number: usize,
    /// What it had before that is counted elsewhere.
    pub(super) before: Vec<u64>,
    /// Errors and slow requests since the snapshot before.
    pub(super) errors: u64,
    pub(super) slow: u64,
}

impl Endpoint {
    /// Reads what has been counted since the snapshot before.
    pub(super) fn read(&mut self, now: &input::Endpoint, first_slow: usize, second: u64) {
        let now = row(now);
        self.increase = increase(&now, &self.before);
        self.before = now;
        if self.increase[..BUCKETS].iter().any(|count| *count > 0) {
            self.last_request = second;
        }
        if errors(&self.increase) > 0 {
            self.last_error = Some(second);
        }
        if self.increase[first_slow..].iter().any(|count| *count > 0) {
            self.last_slow = Some(second);
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
