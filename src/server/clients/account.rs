//! One connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use super::command::{Command, CommandCell, Commands};
use super::counts::Held;
use super::registry::Clients;
use super::streams::Streams;
use super::turns::TURN_REQUESTS;
use super::unread::Unread;
use crate::server::builders::WINDOW;
use crate::server::listener_state::ListenerState;
use crate::server::phase::Phase;

/// "Not now", where a time is wanted.
const NEVER: u64 = u64::MAX;
/// Bytes that the connection of whoever asks how the process is may hold.
const PROBE: usize = 4096;

/// What a connection holds and does.
pub(in crate::server) struct Account {
    pub(super) clients: Arc<Clients>,
    pub(super) peer: SocketAddr,
    pub(in crate::server) listener: ListenerState,
    commands: CommandCell,
    /// Since when its listener shuts down.
    ending_since: AtomicU64,
    /// Since when it shall make room for another one.
    making_room_since: AtomicU64,
    /// Its exchanges, and bytes of these and of open HTTP/2 uploads.
    held: Held,
    pub(super) unread: Unread,
    has_asked: AtomicBool,
    is_http2: AtomicBool,
    /// HTTP/1: since when it holds something, be it of one request or of those that came behind it.
    began: AtomicU64,
    /// HTTP/1: whether that asks how the process is.
    is_probe: AtomicBool,
    /// Since when it has no exchange, or since when a head arrives.
    quiet_since: AtomicU64,
    /// Since when the system takes nothing; [`NEVER`] while it does.
    blocked_since: AtomicU64,
    /// It has one of the turns of [`Clients::turns`], until its task gives way.
    has_turn: AtomicBool,
    /// HTTP/1: requests of this turn.
    requests: AtomicU32,
    /// HTTP/2: request bodies that are arriving.
    uploads: AtomicUsize,
    /// HTTP/2, where the window of each stream may be closed. The socket tells enough of HTTP/1.
    pub(super) streams: Streams,
}

impl Account {
    pub(super) fn new(clients: Arc<Clients>, peer: SocketAddr, listener: ListenerState) -> Self {
        let now = clients.now();
        Self {
            clients,
            peer,
            listener,
            commands: CommandCell::default(),
            ending_since: AtomicU64::new(NEVER),
            making_room_since: AtomicU64::new(NEVER),
            held: Held::default(),
            unread: Unread::default(),
            has_asked: AtomicBool::new(false),
            is_http2: AtomicBool::new(false),
            began: AtomicU64::new(now),
            is_probe: AtomicBool::new(false),
            quiet_since: AtomicU64::new(now),
            blocked_since: AtomicU64::new(NEVER),
            has_turn: AtomicBool::new(false),
            requests: AtomicU32::new(0),
            uploads: AtomicUsize::new(0),
            streams: Streams::default(),
        }
    }

    pub(in crate::server) fn clients(&self) -> &Clients {
        &self.clients
    }

    /// For its task.
    pub(in crate::server) fn commands(&self) -> Commands<'_> {
        Commands::of(&self.commands)
    }

    /// Whether it is news.
    pub(super) fn give(&self, command: Command) -> bool {
        self.commands.give(command)
    }

    pub(super) fn command(&self) -> Option<Command> {
        self.commands.get()
    }

    pub(in crate::server) fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Whether a request over HTTP/2 must not even begin. Its stream is refused then.
    pub(in crate::server) fn refuses_stream(&self) -> bool {
        let refuses = self.is_http2() && self.clients.refuses_stream();
        if refuses {
            self.streams.refuse_next();
        }
        refuses
    }

    /// The phase of its listener.
    pub(in crate::server) fn phase(&self) -> Phase {
        self.listener.phase()
    }

    pub(super) fn has_asked(&self) -> bool {
        self.has_asked.load(Ordering::Relaxed)
    }

    /// The preface of HTTP/2 has come.
    pub(super) fn set_http2(&self) {
        self.is_http2.store(true, Ordering::Relaxed);
    }

    pub(in crate::server) fn is_http2(&self) -> bool {
        self.is_http2.load(Ordering::Relaxed)
    }

    /// A request has arrived, whose head had `head` bytes on HTTP/1, and which holds so many. Called by its task only.
    pub(super) fn begin(&self, head: usize, has_body: bool, held: isize) {
        // Before its bytes are a head no more: whoever sees none of these must see the request.
        self.held.begin(held);
        if !self.has_asked() {
            self.has_asked.store(true, Ordering::Release);
            // The one for which an ending connection was left open.
            if self.phase() != Phase::Serving {
                self.give(Command::End);
            }
        }
        if !self.is_http2() {
            self.unread.remove_head(head, !has_body);
        }
        self.held.check(signed(self.unread()), &self.clients.total);
        if self.clients.is_over() {
            self.clients.call_keeper();
        }
    }

    /// Whether it holds as little as somebody who asks how the process is.
    pub(in crate::server) fn may_be_probe(&self) -> bool {
        self.held() < PROBE
    }

    /// HTTP/1: the last request asks how the process is, or does not.
    pub(in crate::server) fn set_probe(&self, is_probe: bool) {
        self.is_probe.store(is_probe, Ordering::Relaxed);
    }

    /// Whether somebody asks how the process is, and does nothing else.
    pub(super) fn is_probe(&self) -> bool {
        let asks = !self.is_http2() && self.is_probe.load(Ordering::Relaxed) && self.exchanges_open() > 0;
        asks && self.unread() < PROBE
    }

    /// An exchange is over, which held so many bytes.
    pub(super) fn finish(&self, held: isize) {
        // Before the count: whoever sees no exchange must not see an old time.
        self.quiet_since.store(self.clients.now(), Ordering::Relaxed);
        self.held.end(held, signed(self.unread()), &self.clients.total);
    }

    pub(super) fn exchanges_open(&self) -> usize {
        self.held.open()
    }

    /// Time without an exchange.
    pub(super) fn idle_for(&self) -> Option<Duration> {
        let is_idle = self.exchanges_open() == 0;
        is_idle.then(|| self.clients.since(self.quiet_since.load(Ordering::Relaxed)))
    }

    /// Whether it has been served, and nothing of another request has come.
    pub(super) fn is_between_requests(&self) -> bool {
        self.has_asked() && self.unread() == 0
    }

    /// Bytes came. On HTTP/1 they may begin a head, for which the time starts anew: an idle client may use all of it.
    pub(super) fn arrived(&self, bytes: usize) {
        if self.is_http2() {
            return;
        }
        // The time before the bytes: whoever sees these must not see an old time.
        if self.unread.bytes() == 0 && self.exchanges_open() == 0 {
            let now = self.clients.now();
            self.began.store(now, Ordering::Relaxed);
            if self.has_asked() {
                self.quiet_since.store(now, Ordering::Relaxed);
            }
        }
        self.unread.add(bytes);
        self.held.check(signed(self.unread()), &self.clients.total);
        if self.clients.is_far_over() {
            self.clients.call_keeper();
        }
    }

    /// HTTP/1: bytes that came and are no request yet.
    pub(super) fn unread(&self) -> usize {
        if self.is_http2() { 0 } else { self.unread.bytes() }
    }

    /// Whether its answer should be its last: another connection waits for its place, and no request is on its way that would
    /// be lost.
    pub(super) fn makes_room(&self) -> bool {
        self.listener.is_full() && self.unread.is_surely_none() && self.unread.bytes() == 0
    }

    /// For how long it has been told to make room, if it has.
    pub(super) fn making_room_for(&self) -> Option<Duration> {
        let since = self.making_room_since.load(Ordering::Relaxed);
        (since != NEVER).then(|| self.clients.since(since))
    }

    /// It is to make room as soon as its client agrees; a second time, at once.
    pub(super) fn make_room(&self) {
        if self.command().is_some() {
            self.give(Command::Cut);
        } else {
            self.making_room_since.store(self.clients.now(), Ordering::Relaxed);
            self.give(Command::End);
        }
    }

    /// It takes one of [`Clients::turns`]; says whether it had none. Called by its task only: what is read and what is answered
    /// share one.
    pub(super) fn begin_turn(&self) -> bool {
        let has_turn = self.has_turn.load(Ordering::Relaxed);
        self.has_turn.store(true, Ordering::Relaxed);
        !has_turn
    }

    /// Its task gives way to others: what it took for this turn is theirs. Called by its task only.
    pub(in crate::server) fn end_turn(&self) {
        if self.has_turn.load(Ordering::Relaxed) {
            self.has_turn.store(false, Ordering::Relaxed);
            self.clients.turns.add_permits(1);
        }
    }

    /// HTTP/1: all requests that have come are answered, or its next turn begins.
    pub(super) fn begin_requests(&self) {
        self.requests.store(0, Ordering::Relaxed);
    }

    /// HTTP/1: whether a request that has arrived must wait for the next turn.
    pub(in crate::server) fn takes_turns(&self) -> bool {
        // Only its task changes it.
        let requests = self.requests.load(Ordering::Relaxed) + 1;
        self.requests.store(requests, Ordering::Relaxed);
        requests > TURN_REQUESTS && !self.is_http2()
    }

    /// The system takes bytes, or does not.
    pub(super) fn writes(&self, is_blocked: bool) {
        let since = self.blocked_since.load(Ordering::Relaxed);
        if is_blocked != (since != NEVER) {
            self.blocked_since.store(if is_blocked { self.clients.now() } else { NEVER }, Ordering::Relaxed);
        }
    }

    /// Time in which the system took nothing.
    pub(super) fn blocked_for(&self) -> Option<Duration> {
        let since = self.blocked_since.load(Ordering::Relaxed);
        (since != NEVER).then(|| self.clients.since(since))
    }

    /// Holds more, or less.
    pub(super) fn hold(&self, bytes: isize) {
        self.held.change(bytes, signed(self.unread()), &self.clients.total);
        if bytes > 0 && self.clients.is_over() {
            self.clients.call_keeper();
        }
    }

    /// HTTP/2: a body begins to arrive, or does so no more. Until it is read it may fill the window of the connection.
    pub(super) fn upload(&self, begins: bool) {
        if begins && self.uploads.fetch_add(1, Ordering::Relaxed) == 0 {
            self.hold(signed(WINDOW as usize));
        } else if !begins && self.uploads.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.hold(-signed(WINDOW as usize));
        }
    }

    /// Everything held for it, in bytes.
    pub(super) fn held(&self) -> usize {
        usize::try_from(self.held.bytes()).unwrap_or(0) + self.unread()
    }

    /// For how long it holds what it holds: the age of its oldest request, or the time without one.
    pub(super) fn holding_for(&self) -> Duration {
        let since = match (self.exchanges_open(), self.is_http2()) {
            (0, _) => self.quiet_since.load(Ordering::Relaxed),
            (_, true) => self.streams.oldest().unwrap_or(self.clients.now()),
            (_, false) => self.began.load(Ordering::Relaxed),
        };
        self.clients.since(since)
    }

    /// Makes the sum of all connections exact for this one.
    pub(super) fn tell(&self) {
        self.held.tell(signed(self.held()), &self.clients.total);
    }

    /// Time for which its listener has been shutting down, as far as anybody has asked.
    pub(super) fn ending_for(&self) -> Duration {
        if self.phase() == Phase::Serving {
            return Duration::ZERO;
        }
        let now = self.clients.now();
        let known = self.ending_since.compare_exchange(NEVER, now, Ordering::Relaxed, Ordering::Relaxed);
        self.clients.since(known.err().unwrap_or(now))
    }
}

#[cfg(test)]
impl Account {
    /// That of the only connection of a server.
    pub(super) fn alone() -> Arc<Self> {
        use crate::server::limits::Limits;
        let clients = Clients::new(Limits {
            header_timeout: Duration::from_secs(10),
            max_connections: 1,
            shutdown_grace: Duration::from_secs(1),
            last_scrape: Duration::ZERO,
            request_timeout: None,
            client_memory: 1024 * 1024,
            body_limit: 1024,
        });
        let (_phase, phases) = tokio::sync::watch::channel(Phase::Serving);
        let listener = ListenerState::new(phases, tokio_util::task::TaskTracker::new());
        Arc::new(Self::new(clients, SocketAddr::from(([127, 0, 0, 1], 1)), listener))
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.held.tell(0, &self.clients.total);
    }
}

/// Sizes in memory fit.
pub(super) fn signed(bytes: usize) -> isize {
    isize::try_from(bytes).unwrap_or(isize::MAX)
}
