//! Nothing is lost at the end: what the buffer holds is written before the process is gone.
//!
//! A process that returns from `main` ends all other threads, the log's writer with them. Two things keep that from losing
//! lines: the last handle of a telemetry waits for the writer when it is dropped ([`FlushGuard`]), and so does the thread
//! that built it, and the main thread once it has logged, when it ends ([`at_thread_end`]). The second serves
//! what a subscriber for the whole process logs after the last handle is gone.

use std::cell::{Cell, RefCell};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use super::log::Log;
use super::writer;

/// The longest that the end of a process waits for an output that does not move.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// Waits in vain that are not further apart belong to one end.
const ONE_END: Duration = Duration::from_secs(2);
/// The longest that it waits for the backtrace of a panic, which ends by itself.
const LONGEST_BACKTRACE: Duration = Duration::from_secs(10);

/// Waits for the writer when it is dropped, within the bound.
pub(crate) struct FlushGuard(Arc<Log>);

impl FlushGuard {
    pub(crate) fn new(log: &Arc<Log>) -> Arc<Self> {
        Arc::new(Self(Arc::clone(log)))
    }
}

impl Drop for FlushGuard {
    fn drop(&mut self) {
        flush(&self.0);
    }
}

/// Waits for the writer. All waits for outputs that do not move take one bound together, if they come one after the other
/// as they do when a process ends.
pub(super) fn flush(log: &Log) {
    static BEFORE: Mutex<Waited> = Mutex::new(Waited { time: Duration::ZERO, last: None });
    static WAITED: Mutex<Waited> = Mutex::new(Waited { time: Duration::ZERO, last: None });
    if writer::is_this_thread() {
        return;
    }
    log.finish_expected(LONGEST_BACKTRACE);
    // Each has a bound of its own: what the first takes must not cost the other its lines.
    wait_within_bound(&BEFORE, |left| log.finish_before(left));
    wait_within_bound(&WAITED, |left| log.flush(left).is_ok());
}

/// Waits for at most what is left of the bound that all waits of one end have together.
fn wait_within_bound(waited: &Mutex<Waited>, wait: impl FnOnce(Duration) -> bool) {
    let lock = || waited.lock().unwrap_or_else(PoisonError::into_inner);
    let mut before = lock();
    if before.last.is_none_or(|last| last.elapsed() > ONE_END) {
        before.time = Duration::ZERO;
    }
    let left = LONGEST_WAIT.saturating_sub(before.time);
    drop(before);
    let started = Instant::now();
    if !wait(left) {
        let mut waited = lock();
        waited.time += started.elapsed();
        waited.last = Some(Instant::now());
    }
}

/// How long was waited in vain, and until when.
struct Waited {
    time: Duration,
    last: Option<Instant>,
}

/// The logs to wait for when this thread ends.
#[derive(Default)]
struct AtThreadEnd(Vec<Weak<Log>>);

impl Drop for AtThreadEnd {
    fn drop(&mut self) {
        self.0.iter().filter_map(Weak::upgrade).for_each(|log| flush(&log));
    }
}

thread_local! {
    static LOGS: RefCell<AtThreadEnd> = RefCell::default();
    /// On the main thread, where in memory the log is that was registered last.
    static REGISTERED: Option<Cell<usize>> = (thread::current().name() == Some("main")).then(Cell::default);
}

/// Makes the end of this thread wait for the writer. On Windows the other threads are gone by the time the main thread's
/// destructors run, so nothing could be waited for.
pub(crate) fn at_thread_end(log: &Arc<Log>) {
    if cfg!(windows) {
        return;
    }
    // Fails on a thread that is ending already.
    let _ = LOGS.try_with(|logs| {
        let logs = &mut logs.borrow_mut().0;
        logs.retain(|known| known.strong_count() > 0 && !std::ptr::eq(known.as_ptr(), Arc::as_ptr(log)));
        logs.push(Arc::downgrade(log));
    });
}

/// The same for the main thread only, which may log without having built anything. For every event: cheap.
pub(super) fn at_end_of_main(log: &Arc<Log>) {
    let _ = REGISTERED.try_with(|registered| {
        let address = Arc::as_ptr(log) as usize;
        if registered.as_ref().is_some_and(|registered| registered.replace(address) != address) {
            at_thread_end(log);
        }
    });
}
