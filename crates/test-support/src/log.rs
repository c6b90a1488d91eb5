//! A log writer that keeps what it gets.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use crate::Line;

/// The log output of an application, in memory. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Everything written so far.
    ///
    /// # Panics
    /// If it is not UTF-8.
    pub fn text(&self) -> String {
        let bytes = self.0.lock().unwrap().clone();
        String::from_utf8(bytes).expect("log lines are UTF-8")
    }

    /// Everything written since the last call of this or [`take_lines`](Self::take_lines).
    ///
    /// # Panics
    /// If it is not UTF-8.
    pub fn take_text(&self) -> String {
        let bytes = std::mem::take(&mut *self.0.lock().unwrap());
        String::from_utf8(bytes).expect("log lines are UTF-8")
    }

    /// Everything written so far, line by line; each must be valid and whole.
    pub fn lines(&self) -> Vec<Line> {
        Line::parse_all(&self.text())
    }

    /// The same since the last call of this or [`take_text`](Self::take_text).
    pub fn take_lines(&self) -> Vec<Line> {
        Line::parse_all(&self.take_text())
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
