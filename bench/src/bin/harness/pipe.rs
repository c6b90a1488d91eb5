//! The reader at the other end of a server's standard output.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{Errno, ioctl_fionread};

/// Counts the lines of a pipe and keeps none.
pub(crate) struct LineCounter {
    pipe: File,
    /// Held from taking bytes out of the pipe until their lines are counted.
    lines: Mutex<u64>,
}

impl LineCounter {
    /// Reads on a thread of its own until the other end is closed.
    pub(crate) fn start(pipe: impl Into<OwnedFd>) -> Arc<Self> {
        let counter = Arc::new(Self { pipe: File::from(pipe.into()), lines: Mutex::new(0) });
        let reader = Arc::clone(&counter);
        thread::spawn(move || {
            if let Err(error) = reader.read_all() {
                eprintln!("a server's standard output cannot be read any more: {error}");
            }
        });
        counter
    }

    fn read_all(&self) -> io::Result<()> {
        let mut buffer = vec![0; 1 << 16];
        loop {
            match poll(&mut [PollFd::new(&self.pipe, PollFlags::IN)], None) {
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            let length = (&self.pipe).read(&mut buffer)?;
            if length == 0 {
                return Ok(());
            }
            *lines += memchr::memchr_iter(b'\n', &buffer[..length]).count() as u64;
        }
    }

    /// The lines that were written so far, or `None` while some of them wait in the pipe.
    ///
    /// # Errors
    /// If the system does not say how much waits in the pipe.
    pub(crate) fn all(&self) -> io::Result<Option<u64>> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        Ok((ioctl_fionread(&self.pipe)? == 0).then_some(*lines))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::time::{Duration, Instant};

    #[test]
    fn everything_that_was_written_is_counted() {
        let (reader, mut writer) = io::pipe().unwrap();
        let counter = LineCounter::start(reader);
        // More than a pipe or the buffer holds, with lines across their ends, and the last one not yet at its end.
        let text = "0123456789\n".repeat(20_000);
        write!(writer, "{text}no end").unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        while counter.all().unwrap().is_none() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(counter.all().unwrap(), Some(20_000));
    }

    #[test]
    fn what_waits_in_the_pipe_is_not_overlooked() {
        let (reader, mut writer) = io::pipe().unwrap();
        // Nobody reads.
        let counter = LineCounter { pipe: File::from(OwnedFd::from(reader)), lines: Mutex::new(0) };
        assert_eq!(counter.all().unwrap(), Some(0));
        writer.write_all(b"one\n").unwrap();
        assert_eq!(counter.all().unwrap(), None);
    }
}
