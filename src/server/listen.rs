//! Listeners: opened with a clear error, accepting within a limit, closed in phases.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

use super::config::Config;
use super::connection::{Limits, serve};
use super::shutdown::Phase;

/// Connections the system may hold for us before they are accepted; it lowers this to its own limit (`somaxconn`).
const BACKLOG: u32 = 4096;
/// Pause after an accept that failed for want of file descriptors or memory: long enough for some to come back.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The open sockets of a service.
#[derive(Debug)]
pub struct Listeners {
    pub(super) api: TcpListener,
    pub(super) metrics: Option<TcpListener>,
}

impl Listeners {
    /// Opens the addresses of `config`.
    ///
    /// # Errors
    /// [`BindError`] names the address and the setting it came from.
    pub async fn bind(config: &Config) -> Result<Self, BindError> {
        let api = bind("REDPANE_LISTEN", config.listen)?;
        let metrics = config.metrics_listen.map(|address| bind("REDPANE_METRICS_LISTEN", address)).transpose()?;
        Ok(Self { api, metrics })
    }

    /// Where the API listens, with the port the system chose for port 0.
    ///
    /// # Panics
    /// Never: the system knows the address of a socket that it has bound.
    #[must_use]
    pub fn api_address(&self) -> SocketAddr {
        self.api.local_addr().expect("a bound socket has an address")
    }

    /// Where `/metrics` listens, if it has an address of its own.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().and_then(|listener| listener.local_addr().ok())
    }
}

fn bind(variable: &'static str, address: SocketAddr) -> Result<TcpListener, BindError> {
    let open = || {
        let socket = if address.is_ipv4() { tokio::net::TcpSocket::new_v4() } else { tokio::net::TcpSocket::new_v6() }?;
        // A restart must not wait for the old connections' TIME_WAIT. On Windows the option would let two processes share a port.
        #[cfg(not(windows))]
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    open().map_err(|error| BindError { variable, address, error })
}

/// An address that could not be opened.
#[derive(Debug)]
pub struct BindError {
    /// The setting that holds the address.
    pub variable: &'static str,
    /// The address.
    pub address: SocketAddr,
    /// What the system said.
    pub error: io::Error,
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variable, address, error } = self;
        let flag = super::setting::flag(variable);
        write!(f, "cannot listen on {address}, set by {variable} ({flag}): ")?;
        match error.kind() {
            io::ErrorKind::AddrInUse => {
                write!(f, "the address is in use; stop the program that has it or choose another port")
            }
            io::ErrorKind::PermissionDenied => {
                write!(
                    f,
                    "permission denied; choose a port of 1024 or above, or give the process the right to use this one"
                )
            }
            io::ErrorKind::AddrNotAvailable => {
                write!(f, "this machine has no such address; 0.0.0.0 and [::] stand for all it has")
            }
            _ => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for BindError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// A listener at work.
pub(super) struct Serving {
    phase: watch::Sender<Phase>,
    /// Close when the last connection from before, and from after, the begin of draining is gone: each connection holds
    /// a sender and nobody ever sends.
    early: mpsc::Receiver<()>,
    late: mpsc::Receiver<()>,
}

impl Serving {
    pub(super) fn start(listener: TcpListener, router: Router, config: &Config) -> Self {
        let (phase, watched) = watch::channel(Phase::Serving);
        let (early_guard, early) = mpsc::channel(1);
        let (late_guard, late) = mpsc::channel(1);
        let accepting = Accepting {
            listener,
            // Once here, not once a connection.
            router: router.with_state(()),
            limits: Arc::new(Limits::new(config.header_timeout)),
            places: Arc::new(Semaphore::new(config.max_connections)),
            phase: watched,
            complaint: Complaint::default(),
        };
        tokio::spawn(accepting.run(early_guard, late_guard));
        Self { phase, early, late }
    }

    /// Ends every connection after the answer it is giving, keeps accepting until those from before now are gone or
    /// `accept_at_most` is over, and waits for the rest.
    pub(super) async fn drain(&mut self, accept_at_most: Duration) {
        self.phase.send_replace(Phase::Draining);
        drop(tokio::time::timeout(accept_at_most, self.early.recv()).await);
        self.phase.send_replace(Phase::Closing);
        self.early.recv().await;
        self.late.recv().await;
    }

    /// Drops every connection, whatever it is doing.
    pub(super) fn cut(&self) {
        self.phase.send_replace(Phase::Cut);
    }
}

struct Accepting {
    listener: TcpListener,
    router: Router,
    limits: Arc<Limits>,
    places: Arc<Semaphore>,
    phase: watch::Receiver<Phase>,
    complaint: Complaint,
}

impl Accepting {
    async fn run(mut self, early: mpsc::Sender<()>, late: mpsc::Sender<()>) {
        self.accept_until(Phase::Draining, early).await;
        self.accept_until(Phase::Closing, late.clone()).await;
        // Whoever completed the connection before the listener closes has a right to an answer.
        while let Ok(place) = self.places.clone().try_acquire_owned() {
            let Ok(Ok((stream, peer))) = tokio::time::timeout(Duration::ZERO, self.listener.accept()).await else {
                break;
            };
            self.spawn(stream, peer, place, late.clone());
        }
    }

    async fn accept_until(&mut self, end: Phase, guard: mpsc::Sender<()>) {
        let mut phase = self.phase.clone();
        let mut reached = std::pin::pin!(phase.wait_for(|phase| *phase >= end));
        loop {
            tokio::select! {
                biased;
                _ = &mut reached => return,
                (stream, peer, place) = self.accept() => self.spawn(stream, peer, place, guard.clone()),
            }
        }
    }

    /// The next connection, once there is a place for it.
    async fn accept(&mut self) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
        let place = self.places.clone().acquire_owned().await.expect("the semaphore is never closed");
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => return (stream, peer, place),
                // The client was gone before we came to it: its own affair.
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    self.complaint.log(&error);
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn spawn(&self, stream: TcpStream, peer: SocketAddr, place: OwnedSemaphorePermit, guard: mpsc::Sender<()>) {
        let (router, limits, phase) = (self.router.clone(), self.limits.clone(), self.phase.clone());
        tokio::spawn(async move {
            serve(stream, peer, router, &limits, phase).await;
            drop((place, guard));
        });
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Says that connections cannot be accepted, at most once a second: it fails ten times a second as long as it lasts.
#[derive(Default)]
struct Complaint {
    last: Option<Instant>,
    unsaid: u64,
}

impl Complaint {
    fn log(&mut self, error: &io::Error) {
        self.unsaid += 1;
        if self.last.is_none_or(|last| last.elapsed() >= Duration::from_secs(1)) {
            let failures = std::mem::take(&mut self.unsaid);
            tracing::error!(%error, failures, "cannot accept connections, trying again; too many open files means: raise the limit (ulimit -n)");
            self.last = Some(Instant::now());
        }
    }
}
