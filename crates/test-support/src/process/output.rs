//! The output of a program, read on a thread of its own as fast as a test wants it read.

use std::io::Read;
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::Duration;

/// How the standard output of a program is read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reading {
    /// At once.
    AsItComes,
    /// Until the service says that it listens; the rest once [`Process::read_on`](super::Process::read_on) is called.
    NotFurtherThanItsAddress,
    /// About a megabyte a second.
    Slowly,
}

/// Whether the standard output of a program is being read.
#[derive(Debug, Default)]
pub(super) struct Valve {
    is_closed: Mutex<bool>,
    opened: Condvar,
}

impl Valve {
    pub(super) fn close(&self) {
        *self.is_closed.lock().unwrap() = true;
    }

    pub(super) fn open(&self) {
        *self.is_closed.lock().unwrap() = false;
        self.opened.notify_all();
    }

    /// Waits while it is closed.
    fn pass(&self) {
        drop(self.opened.wait_while(self.is_closed.lock().unwrap(), |is_closed| *is_closed).unwrap());
    }
}

pub(super) fn text(bytes: &Mutex<Vec<u8>>) -> String {
    String::from_utf8(bytes.lock().unwrap().clone()).expect("only UTF-8 is printed")
}

/// Keeps everything until the program closes its end.
pub(super) fn keep(mut from: impl Read, kept: &Mutex<Vec<u8>>, mut reading: Reading, valve: &Valve) {
    let mut chunk = [0; 10 * 1024];
    while let Ok(size @ 1..) = from.read(&mut chunk) {
        kept.lock().unwrap().extend_from_slice(&chunk[..size]);
        match reading {
            Reading::AsItComes => {}
            Reading::Slowly => thread::sleep(Duration::from_millis(10)),
            Reading::NotFurtherThanItsAddress => {
                if text(kept).contains("\"listening\"") {
                    valve.close();
                    reading = Reading::AsItComes;
                }
            }
        }
        valve.pass();
    }
}
