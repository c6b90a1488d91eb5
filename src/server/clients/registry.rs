//! All clients of a server.

use std::cmp::Reverse;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicIsize, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use slab::Slab;
use tokio::sync::{Mutex as Line, Notify, Semaphore, watch};

use super::account::{Account, signed};
use super::command::Command;
use super::turns::{AT_ONCE, RELIEF_PAUSE};
use crate::server::limits::Limits;
use crate::server::listener_state::ListenerState;
use crate::server::phase::Phase;

/// Connections that wait for their next turn: more of them have short turns, so that whoever comes does not wait for long.
const MANY: usize = 4;

/// The clients of both listeners.
pub(in crate::server) struct Clients {
    pub(super) limits: Limits,
    /// Bytes held for all of them; exact at every look of the keeper, and nearly exact in between.
    pub(super) total: AtomicIsize,
    accounts: Mutex<Slab<Arc<Account>>>,
    started: Instant,
    /// Milliseconds since then, as of the keeper's last look: times here need no more, and reading a clock costs.
    now: AtomicU64,
    /// Answers that were cut off by the server.
    cut: AtomicU64,
    /// HTTP/2 streams that were reset because their clients took nothing.
    streams_stalled: AtomicU64,
    /// HTTP/2 streams that were refused because far too much was held.
    streams_refused: AtomicU64,
    /// Connections of HTTP/2 that have given way to others.
    waiting: AtomicUsize,
    /// Where those wait that have more to read than a turn, one behind the other.
    pub(super) turns: Semaphore,
    /// Where connections wait that begin while far too much is held.
    beginning: Line<()>,
    /// The limit was passed: the keeper need not wait for its next look.
    pub(super) pressure: Notify,
}

impl Clients {
    pub(in crate::server) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            total: AtomicIsize::new(0),
            accounts: Mutex::default(),
            started: Instant::now(),
            now: AtomicU64::new(0),
            cut: AtomicU64::new(0),
            streams_stalled: AtomicU64::new(0),
            streams_refused: AtomicU64::new(0),
            waiting: AtomicUsize::new(0),
            turns: Semaphore::new(AT_ONCE),
            beginning: Line::new(()),
            pressure: Notify::new(),
        })
    }

    /// A connection was accepted by this listener.
    pub(in crate::server) fn open(self: &Arc<Self>, peer: SocketAddr, listener: ListenerState) -> Registered {
        let account = Arc::new(Account::new(Arc::clone(self), peer, listener));
        let slot = self.lock().insert(Arc::clone(&account));
        Registered { account, slot }
    }

    pub(in crate::server) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Bytes held for all clients.
    pub(in crate::server) fn held(&self) -> usize {
        self.lock().iter().for_each(|(_, account)| account.tell());
        usize::try_from(self.total.load(Ordering::Relaxed)).unwrap_or(0)
    }

    /// Answers that the server cut off so far, because their clients did not take them.
    pub(in crate::server) fn answers_cut(&self) -> u64 {
        self.cut.load(Ordering::Relaxed)
    }

    /// HTTP/2 streams that were reset so far because their clients took nothing, and those that were refused.
    pub(in crate::server) fn streams_reset(&self) -> [u64; 2] {
        [&self.streams_stalled, &self.streams_refused].map(|count| count.load(Ordering::Relaxed))
    }

    /// Whether a stream of HTTP/2 must not even begin, and counts it then.
    pub(in crate::server) fn refuses_stream(&self) -> bool {
        let refuses = self.is_far_over();
        if refuses {
            self.streams_refused.fetch_add(1, Ordering::Relaxed);
            self.call_keeper();
        }
        refuses
    }

    /// Ends the connections of this listener that have been idle for the longest time, as far as that is long enough, then busy
    /// ones where those may be told, and so many at most.
    pub(in crate::server) fn close_idle(&self, listener: &ListenerState, idle_for: &IdleFor, at_once: usize) {
        self.tick();
        let accounts = self.all();
        let open = accounts
            .iter()
            .filter(|account| account.listener.is_same(listener.phases()) && account.command() != Some(Command::Cut));
        let idle = open.filter_map(|account| {
            let agrees = account.making_room_for().is_some_and(|time| time < idle_for.agreed);
            let idle = account.idle_for().filter(|time| *time >= idle_for.of(account));
            // One that is at work answers what it was asked first.
            let may_be_told = idle_for.busy_http2 && account.is_http2() && account.command().is_none();
            let idle = idle.or(may_be_told.then_some(Duration::ZERO))?;
            (!agrees).then_some((idle, account))
        });
        let mut idle: Vec<_> = idle.collect();
        idle.sort_unstable_by_key(|(time, _)| Reverse(*time));
        idle.iter().take(at_once).for_each(|(_, account)| account.make_room());
    }

    /// Gives every connection of this listener a command.
    pub(in crate::server) fn command(&self, phase: &watch::Receiver<Phase>, command: Command) {
        self.all().iter().for_each(|account| {
            if account.listener.is_same(phase) && (command == Command::Cut || account.has_asked()) {
                account.give(command);
            }
        });
    }

    /// Waits until a connection may begin: while far too much is held, behind those that came before, with a pause.
    pub(in crate::server) async fn begin(&self) {
        let _line = self.beginning.lock().await;
        if self.is_far_over() {
            self.call_keeper();
            tokio::time::sleep(RELIEF_PAUSE).await;
        }
    }

    /// Whether a connection that holds so many bytes may begin another request.
    pub(super) fn has_room(&self, held: usize) -> bool {
        let total = self.total.load(Ordering::Relaxed);
        total <= signed(self.limits.client_memory) && held <= self.limits.client_share()
    }

    /// Whether more is held than may be.
    pub(super) fn is_over(&self) -> bool {
        self.total.load(Ordering::Relaxed) > signed(self.limits.client_memory)
    }

    /// Whether so much more is held that nothing can wait.
    pub(in crate::server) fn is_far_over(&self) -> bool {
        self.total.load(Ordering::Relaxed) > signed(self.limits.urgent_memory())
    }

    /// A connection waits for its next turn, or does so no more.
    pub(super) fn change_waiting(&self, waits: bool) {
        if waits {
            self.waiting.fetch_add(1, Ordering::Relaxed);
        } else {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Whether so many wait that each must be short.
    pub(super) fn are_many_waiting(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > MANY
    }

    /// Makes the keeper look now.
    pub(in crate::server) fn call_keeper(&self) {
        self.pressure.notify_one();
    }

    pub(super) fn add_cut(&self, answers: u64) {
        self.cut.fetch_add(answers, Ordering::Relaxed);
    }

    pub(super) fn add_stalled_stream(&self) {
        self.streams_stalled.fetch_add(1, Ordering::Relaxed);
        self.add_cut(1);
    }

    /// Every connection. To look at one may end a request, and so write a line: nobody must wait for that.
    pub(super) fn all(&self) -> Vec<Arc<Account>> {
        self.lock().iter().map(|(_, account)| Arc::clone(account)).collect()
    }

    /// Brings the clock up to date.
    pub(super) fn tick(&self) {
        let now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.now.store(now, Ordering::Relaxed);
    }

    /// Milliseconds since the start, at most one look of the keeper ago.
    pub(super) fn now(&self) -> u64 {
        self.now.load(Ordering::Relaxed)
    }

    /// Time since a value of [`now`](Self::now).
    pub(super) fn since(&self, then: u64) -> Duration {
        Duration::from_millis(self.now().saturating_sub(then))
    }

    fn lock(&self) -> MutexGuard<'_, Slab<Arc<Account>>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a connection must have been idle to make room for one that waits.
pub(in crate::server) struct IdleFor {
    /// HTTP/1, where the next request may be on its way, and would be lost.
    pub(in crate::server) http1: Duration,
    /// HTTP/2, where both sides agree on the last request.
    pub(in crate::server) http2: Duration,
    /// Where nothing has come yet.
    pub(in crate::server) silent: Duration,
    /// Where a head is on its way, in part.
    pub(in crate::server) beginning: Duration,
    /// Whether HTTP/2 makes room, idle or not.
    pub(in crate::server) busy_http2: bool,
    /// Time to agree. Then the connection is cut.
    pub(in crate::server) agreed: Duration,
}

impl IdleFor {
    fn of(&self, account: &Account) -> Duration {
        match account.is_between_requests() {
            false if account.unread() == 0 && !account.is_http2() => self.silent,
            false => self.beginning,
            true if account.is_http2() => self.http2,
            true => self.http1,
        }
    }
}

/// An open connection, known to the keeper until this is dropped.
pub(in crate::server) struct Registered {
    pub(in crate::server) account: Arc<Account>,
    slot: usize,
}

impl Drop for Registered {
    fn drop(&mut self) {
        drop(self.account.clients.lock().try_remove(self.slot));
    }
}
