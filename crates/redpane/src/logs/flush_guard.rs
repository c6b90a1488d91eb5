//! Nothing is lost at the end: what the buffer holds is written before the process is gone.
//!
//! A process that returns from `main` ends all other threads, the log's writer with them. Two things keep that from losing
//! lines: the last handle of a telemetry waits for the writer when it is dropped ([`FlushGuard`]), and so does the thread
//! that built it when that ends ([`at_thread_end`]), which for the main thread is the end of the process. The second serves
//! what a subscriber for the whole process logs after the last handle is gone.

use std::cell::RefCell;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::log::Log;
use super::writer;

/// The longest that the end of a process waits for an output that does not move.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
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

/// Waits for the writer; all waits of a log that does not move take one bound together.
pub(super) fn flush(log: &Log) {
    if writer::is_this_thread() {
        return;
    }
    log.finish_expected(LONGEST_BACKTRACE);
    let mut waited = log.waited_at_end();
    let started = Instant::now();
    let flushed = log.flush(LONGEST_WAIT.saturating_sub(*waited));
    // An output that moves again is waited for again.
    *waited = if flushed.is_ok() { Duration::ZERO } else { *waited + started.elapsed() };
}

/// The logs to wait for when this thread ends.
#[derive(Default)]
struct AtThreadEnd(Vec<Weak<Log>>);

impl Drop for AtThreadEnd {
    fn drop(&mut self) {
        self.0.iter().filter_map(Weak::upgrade).for_each(|log| flush(&log));
    }
}

/// Makes the end of this thread wait for the writer. On Windows the other threads are gone by the time the main thread's
/// destructors run, so nothing could be waited for.
pub(crate) fn at_thread_end(log: &Arc<Log>) {
    thread_local! {
        static LOGS: RefCell<AtThreadEnd> = RefCell::default();
    }
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
