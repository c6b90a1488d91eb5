//! The streams of an HTTP/2 connection: their tasks, and which of their answers are not written yet.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Waker};

use slab::Slab;
use tokio::task::AbortHandle;

use super::account::Account;
use super::exchange::Exchange;

/// The exchanges of a connection whose streams are open.
#[derive(Default)]
pub(super) struct Streams {
    open: Mutex<Open>,
    /// The next stream is one that is refused.
    is_refusing: AtomicBool,
    /// Bytes of these went into the buffer of the protocol since it was last empty.
    unwritten: Mutex<Vec<Arc<Exchange>>>,
}

#[derive(Default)]
struct Open {
    streams: Slab<Stream>,
    /// The last that began. Its task comes right behind it.
    begun: Option<usize>,
}

struct Stream {
    exchange: Weak<Exchange>,
    began: u64,
    task: Option<AbortHandle>,
}

/// An exchange and the task that answers it. Whoever drops the last holder of one drops it without a lock.
pub(super) struct OpenStream {
    pub(super) exchange: Arc<Exchange>,
    task: Option<AbortHandle>,
}

impl Streams {
    /// Adds the exchange that `build` makes for a slot; it began at this time.
    pub(super) fn begin(&self, began: u64, build: impl FnOnce(usize) -> Arc<Exchange>) -> Arc<Exchange> {
        let mut open = lock(&self.open);
        let entry = open.streams.vacant_entry();
        let slot = entry.key();
        let exchange = build(slot);
        entry.insert(Stream { exchange: Arc::downgrade(&exchange), began, task: None });
        open.begun = Some(slot);
        exchange
    }

    pub(super) fn end(&self, slot: usize) {
        // Dropped without the lock: it may be the last holder of a task.
        let ended = lock(&self.open).streams.try_remove(slot);
        drop(ended);
    }

    fn set_task(&self, task: AbortHandle) {
        let mut open = lock(&self.open);
        // The exchange may be over already. No other has its slot: they begin where this is called.
        if let Some(stream) = open.begun.take().and_then(|slot| open.streams.get_mut(slot)) {
            stream.task = Some(task);
        }
    }

    /// When the oldest of them began.
    pub(super) fn oldest(&self) -> Option<u64> {
        lock(&self.open).streams.iter().map(|(_, stream)| stream.began).min()
    }

    pub(super) fn open(&self) -> Vec<OpenStream> {
        let open = lock(&self.open);
        let upgraded =
            |stream: &Stream| Some(OpenStream { exchange: stream.exchange.upgrade()?, task: stream.task.clone() });
        open.streams.iter().filter_map(|(_, stream)| upgraded(stream)).collect()
    }

    /// The stream that comes next is refused, which takes no task.
    pub(super) fn refuse_next(&self) {
        self.is_refusing.store(true, Ordering::Relaxed);
    }

    /// An exchange does not end before the protocol's buffer is empty.
    pub(super) fn hold_until_written(&self, exchange: Arc<Exchange>) {
        lock(&self.unwritten).push(exchange);
    }

    /// Moves those that waited for the protocol's buffer into `into`, which is empty.
    pub(super) fn take_unwritten(&self, into: &mut Vec<Arc<Exchange>>) {
        std::mem::swap(&mut *lock(&self.unwritten), into);
    }
}

impl OpenStream {
    /// Whether it has a task. If not, nothing is left of it but bytes in the protocol's hands.
    pub(super) fn can_be_reset(&self) -> bool {
        self.task.as_ref().is_some_and(|task| !task.is_finished())
    }

    /// Whether it was reset, and its task has not ended yet.
    pub(super) fn is_being_reset(&self) -> bool {
        self.exchange.is_reset() && self.can_be_reset()
    }

    /// Ends its task, and so the stream: the client is told by `RST_STREAM`.
    pub(super) fn reset(&self) {
        self.exchange.set_reset();
        self.task.iter().for_each(AbortHandle::abort);
    }
}

/// Runs the streams of a connection: each is a task, which belongs to those that the listener waits for.
#[derive(Clone)]
pub(in crate::server) struct StreamExecutor(pub(in crate::server) Arc<Account>);

impl<F> hyper::rt::Executor<F> for StreamExecutor
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        let Self(account) = self;
        if account.streams.is_refusing.swap(false, Ordering::Relaxed) {
            // Tasks that wait to be run would hold what the refusal is to save.
            let refused = pin!(stream).poll(&mut Context::from_waker(Waker::noop()));
            debug_assert!(refused.is_ready(), "there is nothing to wait for");
            return;
        }
        account.streams.set_task(account.listener.tasks.spawn(stream).abort_handle());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
