//! The bounds of a server.

use std::time::Duration;

/// What clients may take, and how long the end may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Time a client has for a complete request head, and an idle connection before it is closed.
    pub header_timeout: Duration,
    /// Connections open at once, per listener; further ones wait to be accepted.
    pub max_connections: usize,
    /// Time requests in flight have after the first signal.
    pub shutdown_grace: Duration,
    /// Time after the last of them in which `/metrics` waits for those who scrape it; zero: it does not.
    pub last_scrape: Duration,
    /// Time in which a client must take something of its answer; `None`: it may take as long as it likes.
    pub request_timeout: Option<Duration>,
    /// Bytes held for all clients: heads and bodies that arrive, answers that the system has not taken.
    pub client_memory: usize,
    /// Largest request body in bytes.
    pub body_limit: usize,
}

impl Limits {
    pub(super) fn waits_for_scrape(&self) -> bool {
        !self.last_scrape.is_zero()
    }

    /// Bytes held for all clients from which on nothing can wait: an eighth above what may be.
    pub(super) fn urgent_memory(&self) -> usize {
        self.client_memory + self.client_memory / 8
    }

    /// Bytes that one connection may hold and begin another request: a quarter of all, but room for a largest body and its
    /// answer.
    pub(super) fn client_share(&self) -> usize {
        (self.client_memory / 4).max(self.body_limit.saturating_mul(2)).min(self.client_memory)
    }
}
