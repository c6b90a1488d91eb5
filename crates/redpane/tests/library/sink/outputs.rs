//! Outputs with a will of their own.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Write};
use std::sync::{Arc, Condvar, Mutex};

use test_support::Log;

/// Blocks every write while it is closed.
#[derive(Clone, Default)]
pub(crate) struct Gate {
    open: Arc<(Mutex<bool>, Condvar)>,
    waiting: Arc<Mutex<bool>>,
    pub(crate) written: Log,
}

impl Gate {
    pub(crate) fn open(&self) {
        *self.open.0.lock().unwrap() = true;
        self.open.1.notify_all();
    }

    /// Whether a write is blocked.
    pub(crate) fn is_waiting(&self) -> bool {
        *self.waiting.lock().unwrap()
    }
}

impl Write for Gate {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        *self.waiting.lock().unwrap() = true;
        drop(self.open.1.wait_while(self.open.0.lock().unwrap(), |open| !*open));
        *self.waiting.lock().unwrap() = false;
        self.written.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a scripted output does with one write or flush.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// Takes at most so many bytes.
    Take(usize),
    Fail(ErrorKind),
}

/// Follows its scripts, and takes everything once they are at their end.
#[derive(Clone, Default)]
pub(crate) struct Scripted {
    pub(crate) written: Log,
    writes: Arc<Mutex<VecDeque<Step>>>,
    flushes: Arc<Mutex<VecDeque<ErrorKind>>>,
}

impl Scripted {
    pub(crate) fn then(&self, steps: impl IntoIterator<Item = Step>) {
        self.writes.lock().unwrap().extend(steps);
    }

    pub(crate) fn then_fail_to_flush(&self, kind: ErrorKind) {
        self.flushes.lock().unwrap().push_back(kind);
    }
}

impl Write for Scripted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.writes.lock().unwrap().pop_front() {
            None => self.written.write(bytes),
            Some(Step::Take(most)) => self.written.write(&bytes[..bytes.len().min(most)]),
            Some(Step::Fail(kind)) => Err(kind.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.flushes.lock().unwrap().pop_front().map_or(Ok(()), |kind| Err(kind.into()))
    }
}
