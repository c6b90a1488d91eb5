//! The accept loop of a listener: connections within a limit, closed in phases.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::accept_errors::AcceptErrorLog;
use super::clients::{Clients, Command, IdleFor};
use super::connection::serve;
use super::crowd::Crowd;
use super::listener_state::ListenerState;
use super::phase::Phase;
use super::proxies::{Proxies, TrustedProxies};
use super::routes::Routes;

/// Pause after an `accept` that failed for want of file descriptors or memory, so that some can be freed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);
/// While a connection waits for a place: how often idle ones are closed for it.
const TURN_PAUSE: Duration = Duration::from_millis(10);
/// How long connections wait until those of HTTP/1 that were served a moment ago make room too. Their clients may be about
/// to ask again, but who waits has asked already, and with the rounds after it shall wait for less than 100 ms.
const TURN_WAIT: Duration = Duration::from_millis(40);
/// Which idle connections make room first, and which do after that wait.
const IDLE_LONG: IdleFor = IdleFor { http1: Duration::from_secs(1), ..IDLE_SHORT };
const IDLE_SHORT: IdleFor = IdleFor {
    http1: Duration::from_millis(50),
    http2: Duration::from_millis(50),
    silent: Duration::from_millis(250),
    beginning: Duration::from_millis(500),
    busy_http2: false,
    agreed: Duration::from_millis(40),
};
/// How long connections wait until those of HTTP/2 make room that are never idle for long.
const BUSY_WAIT: Duration = Duration::from_secs(1);
const BUSY_TOO: IdleFor = IdleFor { busy_http2: true, ..IDLE_SHORT };

/// A listener at work.
pub(super) struct ListenerHandle {
    phase: watch::Sender<Phase>,
    /// Connections accepted before draining began.
    early: TaskTracker,
    /// Connections accepted since then, and the accept loop itself.
    late: TaskTracker,
    /// The accept loop alone.
    accepting: TaskTracker,
    clients: Arc<Clients>,
}

impl ListenerHandle {
    pub(super) fn start(
        listener: TcpListener,
        routes: Routes,
        clients: &Arc<Clients>,
        max_connections: usize,
        trusted: TrustedProxies,
    ) -> Self {
        let (phase, watched) = watch::channel(Phase::Serving);
        let (early, late, accepting) = (TaskTracker::new(), TaskTracker::new(), TaskTracker::new());
        // A closed tracker still takes tasks; only `wait` needs it closed. Neither can be empty too soon: the accept loop
        // is a task of the one, and holds a token of the other until it adds nothing more to it.
        early.close();
        late.close();
        accepting.close();
        let accept_loop = AcceptLoop {
            listener,
            routes: routes.with_state(),
            proxies: Arc::new(Proxies::new(trusted)),
            permits: Arc::new(Semaphore::new(max_connections)),
            clients: Arc::clone(clients),
            waiting: None,
            crowd: Crowd::default(),
            state: ListenerState::new(watched, early.clone()),
            errors: AcceptErrorLog::default(),
        };
        late.spawn(accepting.track_future(accept_loop.run(early.token(), late.clone())));
        Self { phase, early, late, accepting, clients: Arc::clone(clients) }
    }

    /// Ends every connection after the answer it is giving, and waits for those from before, but at most for `at_most`. New
    /// ones are still accepted; each ends with its first answer.
    pub(super) async fn finish(&self, at_most: Duration) {
        self.phase.send_replace(Phase::Draining);
        self.clients.command(&self.phase.subscribe(), Command::End);
        drop(timeout(at_most, self.early.wait()).await);
    }

    /// Accepts those whose connection is complete already, and nobody more. Waits until its socket is closed.
    pub(super) async fn stop_accepting(&self) {
        self.phase.send_replace(Phase::Closing);
        self.accepting.wait().await;
    }

    /// Accepts nothing more, and waits for the rest.
    pub(super) async fn close(&self) {
        self.stop_accepting().await;
        self.early.wait().await;
        self.late.wait().await;
    }

    /// Drops every connection, whatever it is doing.
    pub(super) fn cut(&self) {
        self.phase.send_replace(Phase::Cut);
        self.clients.command(&self.phase.subscribe(), Command::Cut);
    }
}

struct AcceptLoop {
    listener: TcpListener,
    routes: Routes,
    proxies: Arc<Proxies>,
    permits: Arc<Semaphore>,
    clients: Arc<Clients>,
    /// Accepted, and waits for its turn.
    waiting: Option<(TcpStream, SocketAddr)>,
    crowd: Crowd,
    state: ListenerState,
    errors: AcceptErrorLog,
}

impl AcceptLoop {
    async fn run(mut self, early: TaskTrackerToken, late: TaskTracker) {
        self.accept_until(Phase::Draining, early.task_tracker()).await;
        drop(early);
        self.accept_until(Phase::Closing, &late).await;
        // Clients whose connection was complete before the listener closes get an answer. Places are given back with each.
        let state = self.state.clone();
        let mut cut = std::pin::pin!(state.reached(Phase::Cut));
        loop {
            let accepted = match self.waiting.take() {
                Some(waiting) => Some(waiting),
                None => timeout(Duration::ZERO, self.listener.accept()).await.ok().and_then(Result::ok),
            };
            let Some((stream, peer)) = accepted else { return };
            tokio::select! {
                biased;
                _ = &mut cut => return,
                permit = self.permits.clone().acquire_owned() => {
                    self.spawn(stream, peer, permit.expect("the semaphore is never closed"), &late);
                }
            }
        }
    }

    async fn accept_until(&mut self, end: Phase, connections: &TaskTracker) {
        let state = self.state.clone();
        let mut reached = std::pin::pin!(state.reached(end));
        loop {
            tokio::select! {
                biased;
                _ = &mut reached => return,
                (stream, peer, permit) = self.accept() => self.spawn(stream, peer, permit, connections),
            }
        }
    }

    /// The next connection, once there is a permit for it. A future that is dropped loses none.
    async fn accept(&mut self) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
        if self.waiting.is_none() {
            self.waiting = Some(self.accept_one().await);
        }
        let permit = self.permit().await;
        let (stream, peer) = self.waiting.take().expect("it is taken here only");
        (stream, peer, permit)
    }

    /// A place for the connection that waits. Idle connections cannot keep it from its turn, and while it waits, answers end
    /// connections of HTTP/1.
    async fn permit(&mut self) -> OwnedSemaphorePermit {
        let permit = loop {
            let permit = timeout(TURN_PAUSE, self.permits.clone().acquire_owned());
            match permit.await {
                Ok(permit) => break permit.expect("the semaphore is never closed"),
                Err(_) => self.make_room(),
            }
        };
        self.end_crowd();
        permit
    }

    /// Ends what a crowd has begun, if it is over. Until then who gets a place gives it back with the answer.
    fn end_crowd(&mut self) {
        if self.state.is_full() && self.crowd.is_over() {
            self.state.set_full(false);
        }
    }

    /// A connection waits, and there is no place or no descriptor for it.
    fn make_room(&mut self) {
        self.state.set_full(true);
        let (waiting_for, at_once) = self.crowd.waits();
        let idle_for = match waiting_for {
            waiting if waiting < TURN_WAIT => &IDLE_LONG,
            waiting if waiting < BUSY_WAIT => &IDLE_SHORT,
            _ => &BUSY_TOO,
        };
        self.clients.close_idle(&self.state, idle_for, at_once);
    }

    async fn accept_one(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            // Where nobody comes for a while there is no crowd any more.
            let accepted = match self.state.is_full() {
                false => self.listener.accept().await,
                true => match timeout(Crowd::LINGERS, self.listener.accept()).await {
                    Ok(accepted) => accepted,
                    Err(_) => {
                        self.end_crowd();
                        continue;
                    }
                },
            };
            match accepted {
                Ok(accepted) => return accepted,
                // The client left before it was accepted: nothing is wrong with the listener.
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    self.errors.log(&error);
                    // A connection that idles has a descriptor, and memory. Where something else is short it does no harm.
                    self.make_room();
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn spawn(&self, stream: TcpStream, peer: SocketAddr, permit: OwnedSemaphorePermit, connections: &TaskTracker) {
        let (routes, proxies) = (self.routes.clone(), self.proxies.clone());
        let registered = self.clients.open(peer, self.state.with_tasks(connections));
        let clients = Arc::clone(&self.clients);
        connections.spawn(async move {
            serve(stream, registered, routes, clients.limits(), &proxies).await;
            drop(permit);
        });
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
