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
}
