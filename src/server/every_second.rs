//! Log lines that many connections could write at once.

use std::time::{Duration, Instant};

const INTERVAL: Duration = Duration::from_secs(1);

/// Lets one event a second through, and counts the others.
#[derive(Default)]
pub(super) struct EverySecond {
    last: Option<Instant>,
    /// Events since the last one that was let through.
    held_back: u64,
}

impl EverySecond {
    /// How many events this one stands for, itself included; `None` less than a second after the last one let through.
    pub(super) fn let_through(&mut self) -> Option<u64> {
        self.held_back += 1;
        if self.last.is_some_and(|last| last.elapsed() < INTERVAL) {
            return None;
        }
        self.last = Some(Instant::now());
        Some(std::mem::take(&mut self.held_back))
    }
}
