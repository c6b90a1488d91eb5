//! A log writer that keeps what it gets.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use super::Line;

/// The log output of an application. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Everything written so far, line by line; each must be valid, whole and bounded.
    pub(crate) fn lines(&self) -> Vec<Line> {
        let bytes = self.0.lock().unwrap().clone();
        let text = String::from_utf8(bytes).expect("log lines are UTF-8");
        assert!(text.is_empty() || text.ends_with('\n'), "the last line is not whole: {text:?}");
        text.lines().map(Line::parse).collect()
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
