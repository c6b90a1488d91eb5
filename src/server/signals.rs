//! The signals that ask for a shutdown.

use std::io;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGTERM, SIGINT, SIGHUP and SIGQUIT ask for a shutdown; SIGUSR1 and SIGUSR2 mean nothing here, and SIGXFSZ is an error of the
/// write that went past the limit (`ulimit -f`). From [`Signals::listen`] on none of them kills the process, which would
/// lose the lines that are still in memory.
#[cfg(unix)]
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// `None` where SIGHUP was ignored when the process started: `nohup` means that a terminal that closes ends nothing.
    hang_up: Option<Signal>,
    quit: Signal,
}

/// SIGXFSZ has this number on all systems that are supported.
#[cfg(unix)]
const XFSZ: i32 = 25;

#[cfg(unix)]
impl Signals {
    /// Starts listening. Must be called inside a runtime.
    ///
    /// # Errors
    /// When the system refuses a signal handler.
    pub fn listen() -> io::Result<Self> {
        // Handlers stay for as long as the process lives, and that one is there is all it takes to ignore a signal.
        for ignored in [SignalKind::user_defined1(), SignalKind::user_defined2(), SignalKind::from_raw(XFSZ)] {
            drop(signal(ignored)?);
        }
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: if is_ignored(SignalKind::hangup()) { None } else { Some(signal(SignalKind::hangup())?) },
            quit: signal(SignalKind::quit())?,
        })
    }

    /// Waits for the next signal that asks for a shutdown and gives its name.
    pub async fn next(&mut self) -> &'static str {
        let hang_up = async {
            match &mut self.hang_up {
                Some(hang_up) => hang_up.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
            _ = hang_up => "SIGHUP",
            _ = self.quit.recv() => "SIGQUIT",
        }
    }
}

/// Whether a signal is ignored, as Linux tells; elsewhere nobody does, and it counts as not ignored.
#[cfg(unix)]
fn is_ignored(signal: SignalKind) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal.as_raw_value() - 1) & 1 == 1
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
