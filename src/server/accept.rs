//! The accept loop of a listener: connections within a limit, closed in phases.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::accept_errors::AcceptErrorLog;
use super::builders::ConnectionBuilders;
use super::connection::serve;
use super::limits::Limits;
use super::phase::Phase;
use super::proxies::{Proxies, TrustedProxies};

/// Pause after an `accept` that failed for want of file descriptors or memory, so that some can be freed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A listener at work.
pub(super) struct ListenerHandle {
    phase: watch::Sender<Phase>,
    /// Connections accepted before draining began.
    early: TaskTracker,
    /// Connections accepted since then, and the accept loop itself.
    late: TaskTracker,
}

impl ListenerHandle {
    pub(super) fn start(listener: TcpListener, router: Router, limits: Limits, trusted: TrustedProxies) -> Self {
        let (phase, watched) = watch::channel(Phase::Serving);
        let (early, late) = (TaskTracker::new(), TaskTracker::new());
        // A closed tracker still takes tasks; only `wait` needs it closed. Neither can be empty too soon: the accept loop
        // is a task of the one, and holds a token of the other until it adds nothing more to it.
        early.close();
        late.close();
        let accept_loop = AcceptLoop {
            listener,
            // Once here, not once a connection.
            router: router.with_state(()),
            builders: Arc::new(ConnectionBuilders::new(limits.header_timeout)),
            proxies: Arc::new(Proxies::new(trusted)),
            permits: Arc::new(Semaphore::new(limits.max_connections)),
            phase: watched,
            errors: AcceptErrorLog::default(),
        };
        late.spawn(accept_loop.run(early.token(), late.clone()));
        Self { phase, early, late }
    }

    /// Ends every connection after the answer it is giving, accepts new ones until those from before are gone but at most
    /// for `accept_at_most`, and waits for the rest.
    pub(super) async fn drain(&self, accept_at_most: Duration) {
        self.phase.send_replace(Phase::Draining);
        drop(tokio::time::timeout(accept_at_most, self.early.wait()).await);
        self.phase.send_replace(Phase::Closing);
        self.early.wait().await;
        self.late.wait().await;
    }

    /// Drops every connection, whatever it is doing.
    pub(super) fn cut(&self) {
        self.phase.send_replace(Phase::Cut);
    }
}

struct AcceptLoop {
    listener: TcpListener,
    router: Router,
    builders: Arc<ConnectionBuilders>,
    proxies: Arc<Proxies>,
    permits: Arc<Semaphore>,
    phase: watch::Receiver<Phase>,
    errors: AcceptErrorLog,
}

impl AcceptLoop {
    async fn run(mut self, early: TaskTrackerToken, late: TaskTracker) {
        self.accept_until(Phase::Draining, early.task_tracker()).await;
        drop(early);
        self.accept_until(Phase::Closing, &late).await;
        // Clients whose connection was complete before the listener closes get an answer.
        while let Ok(permit) = self.permits.clone().try_acquire_owned() {
            let Ok(Ok((stream, peer))) = tokio::time::timeout(Duration::ZERO, self.listener.accept()).await else {
                break;
            };
            self.spawn(stream, peer, permit, &late);
        }
    }

    async fn accept_until(&mut self, end: Phase, connections: &TaskTracker) {
        let mut phase = self.phase.clone();
        let mut reached = std::pin::pin!(phase.wait_for(|phase| *phase >= end));
        loop {
            tokio::select! {
                biased;
                _ = &mut reached => return,
                (stream, peer, permit) = self.accept() => self.spawn(stream, peer, permit, connections),
            }
        }
    }

    /// The next connection, once there is a permit for it.
    async fn accept(&mut self) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
        let permit = self.permits.clone().acquire_owned().await.expect("the semaphore is never closed");
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => return (stream, peer, permit),
                // The client left before it was accepted: nothing is wrong with the listener.
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    self.errors.log(&error);
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn spawn(&self, stream: TcpStream, peer: SocketAddr, permit: OwnedSemaphorePermit, connections: &TaskTracker) {
        let (router, builders, phase) = (self.router.clone(), self.builders.clone(), self.phase.clone());
        let proxies = self.proxies.clone();
        connections.spawn(async move {
            serve(stream, peer, router, &builders, &proxies, phase).await;
            drop(permit);
        });
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
