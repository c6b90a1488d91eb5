//! Another client during an attack, which means no harm and asks all the time.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::ANOTHER_CLIENT_WAITS;

/// Time from one probe to the next.
const EVERY: Duration = Duration::from_millis(10);
const PROBE: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

/// A thread that asks for `/healthz`, on a new connection each time. It shares nothing with whatever else a test does: no
/// runtime, no connection, no lock.
pub(crate) struct Probes {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<Waits>>,
}

/// How long each probe took.
#[derive(Default)]
pub(crate) struct Waits {
    /// In the order in which they end. A probe that takes longer than to the next one stands for those that were due
    /// meanwhile too: each would have waited for the rest of that time.
    waits: Vec<Duration>,
    pub(crate) answered: usize,
    /// Not answered in time, or not with 200.
    pub(crate) unanswered: usize,
}

impl Probes {
    pub(crate) fn start(address: SocketAddr) -> Self {
        let is_over = Arc::<AtomicBool>::default();
        let end = Arc::clone(&is_over);
        Self { is_over, thread: Some(thread::spawn(move || probe_until(address, &end))) }
    }

    /// Ends it after its current probe.
    pub(crate) fn finish(mut self) -> Waits {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for Probes {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

impl Waits {
    /// The wait that all but one of a hundred stay below, and the longest.
    pub(crate) fn p99_and_most(&self) -> (Duration, Duration) {
        let mut waits = self.waits.clone();
        waits.sort_unstable();
        let at = |share: f64| waits.get((waits.len() as f64 * share) as usize).or(waits.last()).copied();
        (at(0.99).unwrap_or_default(), at(1.0).unwrap_or_default())
    }
}

fn probe_until(address: SocketAddr, is_over: &AtomicBool) -> Waits {
    let mut waits = Waits::default();
    while !is_over.load(Ordering::Relaxed) {
        let mut due = Instant::now();
        let is_answered = probe(address, due + ANOTHER_CLIENT_WAITS).unwrap_or(false);
        *(if is_answered { &mut waits.answered } else { &mut waits.unanswered }) += 1;
        let end = Instant::now();
        while due <= end {
            waits.waits.push(end - due);
            due += EVERY;
        }
        thread::sleep(due - end);
    }
    waits
}

/// Whether it is answered with 200 before `end`.
fn probe(address: SocketAddr, end: Instant) -> io::Result<bool> {
    let left =
        || end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()).ok_or(io::ErrorKind::TimedOut);
    let mut stream = TcpStream::connect_timeout(&address, left()?)?;
    stream.write_all(PROBE)?;
    let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        stream.set_read_timeout(Some(left()?))?;
        match stream.read(&mut buffer)? {
            // The service closes behind its answer.
            0 => return Ok(answer.starts_with(b"HTTP/1.1 200 ")),
            read => answer.extend_from_slice(&buffer[..read]),
        }
    }
}
