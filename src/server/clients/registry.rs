//! All clients of a server.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicIsize, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use slab::Slab;
use tokio::sync::{Notify, watch};

use super::account::{Account, signed};
use super::command::Command;
use crate::server::limits::Limits;
use crate::server::phase::Phase;

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
            pressure: Notify::new(),
        })
    }

    /// A connection was accepted by the listener of this phase.
    pub(in crate::server) fn open(self: &Arc<Self>, peer: SocketAddr, phase: watch::Receiver<Phase>) -> Registered {
        let account = Arc::new(Account::new(Arc::clone(self), peer, phase));
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

    /// Closes the connection of this listener that has been idle for the longest time, if any has been for long enough: for
    /// `at_least`, and for `beginning` where a head may be on its way. One that was told before and is still there is cut: a
    /// client of HTTP/2 need not agree.
    pub(in crate::server) fn close_idle(
        &self,
        phase: &watch::Receiver<Phase>,
        at_least: Duration,
        beginning: Duration,
    ) {
        self.tick();
        let accounts = self.lock();
        let open = accounts.iter().map(|(_, account)| account);
        let open = open.filter(|account| account.phase.same_channel(phase) && account.command() != Some(Command::Cut));
        let idle = open.filter_map(|account| {
            let needed = if account.is_between_requests() { at_least } else { beginning };
            Some((account.idle_for().filter(|time| *time >= needed)?, account))
        });
        if let Some((_, account)) = idle.max_by_key(|(time, _)| *time) {
            account.give(if account.command().is_none() { Command::End } else { Command::Cut });
        }
    }

    /// Gives every connection of this listener a command.
    pub(in crate::server) fn command(&self, phase: &watch::Receiver<Phase>, command: Command) {
        self.each(|account| {
            if account.phase.same_channel(phase) && (command == Command::Cut || account.has_asked()) {
                account.give(command);
            }
        });
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

    /// Makes the keeper look now.
    pub(in crate::server) fn call_keeper(&self) {
        self.pressure.notify_one();
    }

    pub(super) fn add_cut(&self, answers: u64) {
        self.cut.fetch_add(answers, Ordering::Relaxed);
    }

    pub(super) fn each(&self, look: impl FnMut(&Arc<Account>)) {
        self.lock().iter().map(|(_, account)| account).for_each(look);
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
