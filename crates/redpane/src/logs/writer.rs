//! The thread that writes the log.

use std::io::{self, Write};
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tracing::Level;

use super::buffer::{Buffer, BufferShared, State, lose};
use super::level::level_index;
use super::losses::DropReason;

/// The batching delay: how long the writer waits for more lines after a batch or a first line. Many lines then share one
/// write and one wake-up.
const LINGER: Duration = Duration::from_millis(5);
/// A spare buffer that grew beyond this in a burst is given back.
const KEPT_CAPACITY: usize = 1024 * 1024;

/// The name of the thread.
const THREAD: &str = "redpane-log";

/// Whether this is the thread of a writer, which must not wait for itself.
pub(super) fn is_this_thread() -> bool {
    thread::current().name() == Some(THREAD)
}

/// Appends the line that announces lost lines.
pub(super) type ReportLosses = Box<dyn Fn(&mut Vec<u8>, u64) + Send>;

/// Sees every batch of lines before it is written.
pub(crate) type Tap = Box<dyn Fn(&[u8]) + Send>;

/// Starts the thread that writes what the buffer gets. It ends when the buffer is dropped and everything is written.
///
/// # Errors
/// If the system refuses the thread.
pub(super) fn spawn(
    buffer: &Buffer,
    output: Box<dyn Write + Send>,
    report_losses: ReportLosses,
    tap: Option<Tap>,
) -> io::Result<()> {
    let shared = buffer.shared();
    let run = move || write_batches(&shared, output, &report_losses, tap.as_ref());
    thread::Builder::new().name(THREAD.into()).spawn(run).map(drop)
}

/// Takes all there is, writes it, announces what was lost meanwhile.
fn write_batches(
    shared: &BufferShared,
    writer: Box<dyn Write + Send>,
    report_losses: &ReportLosses,
    tap: Option<&Tap>,
) {
    let mut writer = Guarded(writer);
    let mut batch = Vec::new();
    let mut torn = false;
    while let Some(taken) = next_batch(shared, report_losses, &mut batch) {
        if let Some(tap) = tap {
            tap(&batch);
        }
        let written = write_all(&mut writer, &batch, &mut torn);
        let mut state = shared.lock();
        state.failing = written.is_err();
        let mut bytes = written.err().unwrap_or(batch.len());
        // A line that lacks only its newline is not lost: the newline after a torn line completes it.
        bytes += usize::from(batch.get(bytes) == Some(&b'\n'));
        if bytes < batch.len() {
            let whole_lines = batch[..bytes].iter().filter(|&&byte| byte == b'\n').count() as u64;
            lose(&mut state, taken.lines.saturating_sub(whole_lines), DropReason::WriteFailed);
            // The announcement is the last line of a batch: it went down with the rest and is made again.
            state.unreported += taken.reported;
        } else if taken.reported > 0 {
            // Counted only now: one that went down was no line that anybody lost.
            state.reported += taken.reported;
            state.counts.events[level_index(Level::WARN)] += 1;
        }
        state.writing_bytes = 0;
        state.settled += taken.lines;
        shared.progress.notify_all();
        drop(state);
        batch.clear();
        batch.shrink_to(KEPT_CAPACITY);
    }
}

/// What the writer took from the buffer.
struct Taken {
    lines: u64,
    /// Lost lines that the batch's own last line tells of; zero where there is no such line.
    reported: u64,
}

/// Lingers, and where no line came waits for one and lingers again; takes what there is. `None` at the end.
///
/// It lingers first: under load a batch has lines before the last one is written, and none of them has to wake the writer.
fn next_batch(shared: &BufferShared, report_losses: &ReportLosses, batch: &mut Vec<u8>) -> Option<Taken> {
    let mut state = linger(shared, shared.lock());
    while !state.has_work() {
        if state.closed {
            return None;
        }
        state.writer_idle = true;
        state.urgent = false;
        state = shared.work.wait(state).unwrap_or_else(PoisonError::into_inner);
        state.writer_idle = false;
        state = linger(shared, state);
    }
    state.urgent = false;
    mem::swap(&mut state.buffer, batch);
    state.writing_bytes = batch.len();
    let taken = Taken { lines: mem::take(&mut state.lines), reported: mem::take(&mut state.unreported) };
    shared.progress.notify_all();
    drop(state);
    if taken.reported > 0 {
        report_losses(batch, taken.reported);
    }
    Some(taken)
}

fn linger<'a>(shared: &BufferShared, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
    let lingered = shared.work.wait_timeout_while(state, LINGER, |state| !state.urgent && !state.closed);
    lingered.unwrap_or_else(PoisonError::into_inner).0
}

/// Writes everything, waiting where a non-blocking output asks for it. The error is the number of bytes written.
fn write_all(writer: &mut dyn Write, batch: &[u8], torn: &mut bool) -> Result<(), usize> {
    // After a failure half-way, the next line must not continue the torn one.
    if *torn {
        write_from(writer, b"\n")?;
        *torn = false;
    }
    let outcome = write_from(writer, batch);
    if let Err(bytes) = outcome {
        *torn = bytes > 0 && batch[bytes - 1] != b'\n';
    }
    outcome
}

fn write_from(writer: &mut dyn Write, bytes: &[u8]) -> Result<(), usize> {
    let mut written = 0;
    while written < bytes.len() {
        match writer.write(&bytes[written..]) {
            Ok(0) => return Err(written),
            Ok(more) => written += more,
            Err(error) => wait_or_fail(&error).map_err(|()| written)?,
        }
    }
    loop {
        match writer.flush() {
            Ok(()) => return Ok(()),
            Err(error) => wait_or_fail(&error).map_err(|()| written)?,
        }
    }
}

fn wait_or_fail(error: &io::Error) -> Result<(), ()> {
    match error.kind() {
        io::ErrorKind::Interrupted => Ok(()),
        io::ErrorKind::WouldBlock => {
            thread::sleep(Duration::from_millis(1));
            Ok(())
        }
        _ => Err(()),
    }
}

/// Takes a panic of the application's writer for an error: it must not end the thread, and with it the log.
struct Guarded(Box<dyn Write + Send>);

impl Guarded {
    fn run<R>(&mut self, call: impl FnOnce(&mut dyn Write) -> io::Result<R>) -> io::Result<R> {
        let ran = panic::catch_unwind(AssertUnwindSafe(|| call(&mut *self.0)));
        ran.unwrap_or_else(|_| Err(io::Error::other("the log writer panicked")))
    }
}

impl Write for Guarded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.run(|writer| writer.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.run(|writer| writer.flush())
    }
}
