//! How a service ends: the signals that ask for it, the phases its connections go through, what is said at the end.

use std::io;

/// The life of a listener, in order. Connections watch it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Connections stay open for further requests.
    Serving,
    /// New connections are accepted still, but each connection ends with the answer it is giving.
    Draining,
    /// Nothing new is accepted.
    Closing,
    /// What is still open is dropped.
    Cut,
}

/// Why the wait for requests in flight was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Nothing was left to wait for.
    Drained,
    /// A second signal.
    SecondSignal,
    /// `REDPANE_SHUTDOWN_GRACE` ran out.
    Deadline,
}

/// How a service ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// What ended the wait.
    pub cause: Cause,
    /// Requests that were being answered and were cut off. Always 0 after [`Cause::Drained`].
    pub cut: u64,
}

impl Ended {
    pub(super) fn log(&self) {
        let cut = self.cut;
        let why = match self.cause {
            Cause::Drained => return tracing::info!(cut, "shut down: every request was answered"),
            Cause::SecondSignal => "a second signal",
            Cause::Deadline => "the shutdown grace ran out",
        };
        if cut == 0 {
            tracing::info!(cut, why, "shut down early: no request was cut");
        } else {
            tracing::warn!(cut, why, "shut down early: {cut} requests were cut");
        }
    }
}

/// SIGTERM and SIGINT, listened for from the moment this is made: no later signal kills the process.
#[cfg(unix)]
#[derive(Debug)]
pub struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// Starts listening. Must be called inside a runtime.
    ///
    /// # Errors
    /// When the system refuses a signal handler.
    pub fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for the next signal and gives its name.
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// Ctrl-C, where there are no Unix signals.
#[cfg(not(unix))]
#[derive(Debug)]
pub struct Signals;

#[cfg(not(unix))]
impl Signals {
    /// Nothing to prepare here.
    ///
    /// # Errors
    /// None.
    pub fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    /// Waits for the next Ctrl-C.
    pub async fn next(&mut self) -> &'static str {
        match tokio::signal::ctrl_c().await {
            Ok(()) => "Ctrl-C",
            Err(_) => std::future::pending().await,
        }
    }
}
