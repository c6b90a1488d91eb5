//! Clients that send frames of HTTP/2 which cost them little.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};

use crate::attackers::{Attackers, Socket};
use crate::expected::{Expected, Shown};
use crate::http2::Connection;
use crate::http2::frame::{
    CANCEL, CONTINUATION, END_STREAM, ENHANCE_YOUR_CALM, GET, HEADERS, RST_STREAM, frame, get, goaway, preface,
};
use crate::trial::trial;

pub(crate) const RESETS: Expected = Expected { grows: 36, shown: &[Shown::Sent(10), Shown::Refused(100)] };
pub(crate) const LATE_RESETS: Expected =
    Expected { grows: 36, shown: &[Shown::Lines("GET /hello/{name} 200 aborted", 720)] };
pub(crate) const WINDOWS: Expected =
    Expected { grows: 24, shown: &[Shown::Lines("GET /hello/{name} 200 aborted", 720), Shown::Sent(1)] };
pub(crate) const CONTINUATIONS: Expected = Expected { grows: 12, shown: &[Shown::Sent(50), Shown::Refused(100)] };

/// How long a flood lasts: whoever is cut off connects anew meanwhile.
const LASTS: Duration = Duration::from_secs(2);
const CLIENTS: usize = 8;
/// Streams that a connection may have open.
const AT_ONCE: usize = 90;
/// Streams of one connection.
const STREAMS: u32 = 5000;

/// Connects again and again, and sends the same, until the service has enough of it and says so.
async fn flood(mut attackers: Attackers, bytes: Vec<u8>) -> Attackers {
    let end = Instant::now() + LASTS;
    let bytes: Arc<[u8]> = bytes.into();
    while Instant::now() < end {
        let act = |socket: Socket| {
            let bytes = Arc::clone(&bytes);
            async move {
                let is_refusal = |heard: &[u8]| goaway(heard) == Some(ENHANCE_YOUR_CALM);
                drop(timeout_at(end, socket.send_and_listen(&bytes, is_refusal)).await);
            }
        };
        attackers.send(CLIENTS, act).await;
        attackers.finish().await;
    }
    attackers
}

/// Connects once, and lets each client act until the end.
async fn for_a_while<F>(mut attackers: Attackers, act: impl Fn(Connection, Instant) -> F) -> Attackers
where
    F: Future<Output = ()> + Send + 'static,
{
    let end = Instant::now() + LASTS;
    attackers.send(CLIENTS, |socket| act(Connection::new(socket), end)).await;
    attackers.finish().await;
    attackers
}

/// Streams that are opened and reset at once.
pub(crate) async fn resets(attackers: Attackers) -> Attackers {
    let pair = |stream| [get(stream, "/hello/a"), frame(RST_STREAM, 0, stream, &CANCEL)].concat();
    let streams = (0..STREAMS).flat_map(|number| pair(2 * number + 1));
    let bytes = preface(&[]).into_iter().chain(streams).collect();
    flood(attackers, bytes).await
}

/// Streams whose answer is reset as it begins, as many at once as there may be, again and again.
pub(crate) async fn late_resets(attackers: Attackers) -> Attackers {
    for_a_while(attackers, reset_late).await
}

async fn reset_late(mut connection: Connection, end: Instant) {
    while Instant::now() < end {
        let mut begun: BTreeSet<u32> = (0..AT_ONCE).map(|_| connection.get("/hello/a")).collect();
        while !begun.is_empty() {
            match timeout_at(end, connection.next()).await {
                Ok(Some(answer)) if answer.kind == HEADERS && begun.remove(&answer.stream) => {
                    connection.cancel(answer.stream);
                }
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => return,
            }
        }
    }
}

/// Windows of ninety open streams that are changed all the time: each change is a small frame, and work on each stream.
pub(crate) async fn windows(attackers: Attackers) -> Attackers {
    for_a_while(attackers, change_windows).await
}

async fn change_windows(mut connection: Connection, end: Instant) {
    (0..AT_ONCE).for_each(|_| _ = connection.get("/hello/a"));
    while Instant::now() < end {
        connection.change_windows(1000);
        let next = timeout(Duration::from_millis(2), connection.next()).await;
        if matches!(next, Ok(None)) {
            return;
        }
    }
}

/// A head that goes on and on, and is never used.
pub(crate) async fn continuations(attackers: Attackers) -> Attackers {
    let more = frame(CONTINUATION, 0, 1, &b"\x00\x01x\x05aaaaa".repeat(1000));
    let bytes = [preface(&[]), frame(HEADERS, END_STREAM, 1, GET), more.repeat(2000)].concat();
    flood(attackers, bytes).await
}

#[tokio::test]
async fn rapid_resets() {
    trial("HTTP/2: streams opened and reset for 2 s", &[], &RESETS, resets).await;
}

#[tokio::test]
async fn resets_of_answers_that_have_begun() {
    trial("HTTP/2, no window: answers reset as they begin for 2 s", &[], &LATE_RESETS, late_resets).await;
}

#[tokio::test]
async fn windows_that_change_all_the_time() {
    trial("HTTP/2: windows of 8 × 90 streams changed for 2 s", &[], &WINDOWS, windows).await;
}

#[tokio::test]
async fn continuations_without_an_end() {
    trial("HTTP/2: heads continued without an end for 2 s", &[], &CONTINUATIONS, continuations).await;
}
