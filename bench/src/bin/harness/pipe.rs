//! The reader at the other end of a server's standard output.

use std::io::{ErrorKind, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// The number of lines that came through the pipe so far; a thread reads it to its end.
pub(crate) fn count_lines(mut pipe: impl Read + Send + 'static) -> Arc<AtomicU64> {
    let lines = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&lines);
    thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        loop {
            match pipe.read(&mut buffer) {
                Ok(0) => return,
                Ok(length) => {
                    let ends = memchr::memchr_iter(b'\n', &buffer[..length]).count();
                    counted.fetch_add(ends as u64, Ordering::Release);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    });
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;
    use std::time::{Duration, Instant};

    #[test]
    fn lines_of_a_pipe_are_counted_across_reads() {
        let text = "0123456789\n".repeat(20_000);
        let lines = count_lines(Cursor::new(format!("{text}no end")));
        let deadline = Instant::now() + Duration::from_secs(10);
        while lines.load(Ordering::Acquire) < 20_000 && Instant::now() < deadline {
            thread::yield_now();
        }
        assert_eq!(lines.load(Ordering::Acquire), 20_000);
    }
}
