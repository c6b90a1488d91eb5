//! The phases of a listener.

/// The life of a listener, in order. Its connections watch it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Connections stay open for further requests.
    Serving,
    /// New connections are still accepted, but each connection ends with the answer it is giving.
    Draining,
    /// Nothing new is accepted.
    Closing,
    /// What is still open is dropped.
    Cut,
}
