//! One connection.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use slab::Slab;
use tokio::sync::watch;

use super::command::{Command, CommandCell, Commands};
use super::counts::Held;
use super::exchange::Exchange;
use super::registry::Clients;
use crate::server::builders::{HEAD_LIMIT, WINDOW};
use crate::server::phase::Phase;

/// "Not now", where a time is wanted.
const NEVER: u64 = u64::MAX;

/// What a connection holds and does.
pub(in crate::server) struct Account {
    pub(super) clients: Arc<Clients>,
    pub(super) peer: SocketAddr,
    /// Of its listener.
    pub(super) phase: watch::Receiver<Phase>,
    commands: CommandCell,
    /// Since when its listener shuts down.
    ending_since: AtomicU64,
    /// Bytes of its exchanges and of open HTTP/2 uploads.
    held: Held,
    /// Since when it holds anything.
    holding_since: AtomicU64,
    /// HTTP/1: bytes read that are no request yet, and no part of a body that was passed on. May be off by some bytes
    /// where a client adds spaces.
    unread: AtomicIsize,
    exchanges_open: AtomicUsize,
    has_asked: AtomicBool,
    is_http2: AtomicBool,
    /// Since when it has no exchange, or since when a head arrives.
    quiet_since: AtomicU64,
    /// Since when the system takes nothing; [`NEVER`] while it does.
    blocked_since: AtomicU64,
    /// HTTP/2: request bodies that are arriving.
    uploads: AtomicUsize,
    /// HTTP/2, where the window of each stream may be closed. The socket tells enough of HTTP/1.
    streams: Mutex<Slab<Weak<Exchange>>>,
}

impl Account {
    pub(super) fn new(clients: Arc<Clients>, peer: SocketAddr, phase: watch::Receiver<Phase>) -> Self {
        let now = clients.now();
        Self {
            clients,
            peer,
            phase,
            commands: CommandCell::default(),
            ending_since: AtomicU64::new(NEVER),
            held: Held::default(),
            holding_since: AtomicU64::new(now),
            unread: AtomicIsize::new(0),
            exchanges_open: AtomicUsize::new(0),
            has_asked: AtomicBool::new(false),
            is_http2: AtomicBool::new(false),
            quiet_since: AtomicU64::new(now),
            blocked_since: AtomicU64::new(NEVER),
            uploads: AtomicUsize::new(0),
            streams: Mutex::default(),
        }
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

    /// The phase of its listener.
    pub(in crate::server) fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    pub(super) fn has_asked(&self) -> bool {
        self.has_asked.load(Ordering::Relaxed)
    }

    /// A request has arrived, whose head had `head` bytes on HTTP/1.
    pub(super) fn begin(&self, is_http2: bool, head: usize, has_body: bool) {
        self.exchanges_open.fetch_add(1, Ordering::Relaxed);
        if !self.has_asked() {
            self.is_http2.store(is_http2, Ordering::Relaxed);
            self.has_asked.store(true, Ordering::Release);
            // The one for which an ending connection was left open.
            if self.phase() != Phase::Serving {
                self.give(Command::End);
            }
        }
        if !is_http2 {
            self.has_read(head, !has_body);
        }
    }

    /// An exchange is over.
    pub(super) fn finish(&self) {
        // Before the count: whoever sees no exchange must not see an old time.
        self.quiet_since.store(self.clients.now(), Ordering::Relaxed);
        self.exchanges_open.fetch_sub(1, Ordering::Release);
    }

    pub(super) fn exchanges_open(&self) -> usize {
        self.exchanges_open.load(Ordering::Acquire)
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

    /// Whether it speaks HTTP/2, which its first request tells.
    pub(super) fn is_http2(&self) -> bool {
        self.is_http2.load(Ordering::Relaxed)
    }

    /// Bytes came. On HTTP/1 they may begin a head, for which the time starts anew: an idle client may use all of it.
    pub(super) fn arrived(&self, bytes: usize) {
        if self.is_http2() {
            return;
        }
        // The time before the bytes: whoever sees these must not see an old time.
        if self.unread.load(Ordering::Relaxed) <= 0 && self.has_asked() && self.exchanges_open() == 0 {
            self.quiet_since.store(self.clients.now(), Ordering::Relaxed);
        }
        self.unread.fetch_add(signed(bytes), Ordering::Release);
    }

    /// HTTP/1: bytes that came were passed on. At an end nobody knows how many bytes of framing there were.
    pub(super) fn has_read(&self, bytes: usize, is_end: bool) {
        let left = self.unread.fetch_sub(signed(bytes), Ordering::Relaxed) - signed(bytes);
        if left < 0 || is_end && left < 256 {
            self.unread.store(0, Ordering::Relaxed);
        }
    }

    /// HTTP/1: what came of a body is gone, however much it was.
    pub(super) fn forget_unread(&self) {
        self.unread.store(0, Ordering::Relaxed);
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
        let held = self.held.change(bytes, &self.clients.total);
        if held == bytes && bytes > 0 {
            self.holding_since.store(self.clients.now(), Ordering::Relaxed);
        }
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

    /// Time since it held nothing.
    pub(super) fn holding_for(&self) -> Duration {
        self.clients.since(self.holding_since.load(Ordering::Relaxed))
    }

    /// Makes the sum of all connections exact for this one.
    pub(super) fn tell(&self) {
        self.held.tell(signed(self.held()), &self.clients.total);
    }

    /// HTTP/1: bytes that came and are no request yet.
    pub(super) fn unread(&self) -> usize {
        match self.is_http2() {
            true => 0,
            false => usize::try_from(self.unread.load(Ordering::Acquire)).unwrap_or(0).min(HEAD_LIMIT),
        }
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

    /// HTTP/2: the exchanges that are open. Whoever drops the last holder of one drops it without the lock.
    pub(super) fn open_streams(&self) -> Vec<Arc<Exchange>> {
        self.streams().iter().filter_map(|(_, stream)| stream.upgrade()).collect()
    }

    pub(super) fn streams(&self) -> MutexGuard<'_, Slab<Weak<Exchange>>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
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
