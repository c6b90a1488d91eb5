//! Clients that keep connections from others.

use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt;

use crate::attackers::{Attackers, Socket, connect};
use crate::expected::{Expected, Shown};
use crate::http2::Connection;
use crate::http2::frame::{get, preface};
use crate::trial::trial;

pub(crate) const IDLE: Expected = Expected { grows: 12, shown: &[Shown::Probes(50.0)] };
pub(crate) const GROWN_HEADS: Expected =
    Expected { grows: 108, shown: &[Shown::Lines("GET /hello/{name}", 300), Shown::Sent(50), Shown::Cut(300.0)] };

/// Clients that come again when they were closed.
const RETURNING: usize = 300;

// Each of them comes three times at least.
pub(crate) const BACK: Expected = Expected { grows: 24, shown: &[Shown::Probes(900.0)] };

/// As many as the service serves at once.
const CONNECTIONS: usize = 50;
/// Connections that grow.
const GROWN: usize = 2000;
const PINGS: Duration = Duration::from_millis(200);

/// All connections there are, with one request each, and then nothing but pings both ways.
pub(crate) async fn pings(mut attackers: Attackers) -> Attackers {
    let act = async |socket: Socket| {
        let mut connection = Connection::taking(socket);
        connection.get("/healthz");
        connection.stay(PINGS).await;
    };
    attackers.send(CONNECTIONS, act).await;
    attackers
}

/// The same, and no answer to anything that the service says.
pub(crate) async fn silence(mut attackers: Attackers) -> Attackers {
    let act = async |mut socket: Socket| {
        socket.send(&[preface(&[]), get(1, "/healthz")].concat()).await;
        socket.stay().await;
    };
    attackers.send(CONNECTIONS, act).await;
    attackers
}

/// Connections that asked with a large head once, and then idle: what was read into stays that large.
pub(crate) async fn grown(mut attackers: Attackers) -> Attackers {
    let act = async |mut socket: Socket| {
        let head = format!("GET /hello/a HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "x".repeat(60_000));
        socket.send(head.as_bytes()).await;
        socket.stay().await;
    };
    attackers.send(GROWN, act).await;
    attackers
}

/// Many more clients than connections, who ask once, idle, and come again as soon as they are closed.
pub(crate) async fn returning(mut attackers: Attackers) -> Attackers {
    let address = attackers.address();
    let act = move |mut socket: Socket| async move {
        let end = Instant::now() + Duration::from_secs(3);
        loop {
            socket.send(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n").await;
            let mut buffer = [0; 1024];
            while socket.reader.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
            if Instant::now() > end {
                break;
            }
            let counts = socket.counts.clone();
            socket = connect(address, &counts).await;
        }
    };
    attackers.send(RETURNING, act).await;
    attackers.finish().await;
    attackers
}

#[tokio::test]
async fn clients_that_come_again_when_they_were_closed() {
    let few = [("REDPANE_MAX_CONNECTIONS", "50")];
    trial("300 clients for 50 connections, who idle and come again, for 3 s", &few, &BACK, returning).await;
}

#[tokio::test]
#[allow(clippy::print_stderr, reason = "a test that is skipped must say so")]
async fn connections_that_idle_after_a_large_head() {
    // Of the clients and, since it inherits the limit, of the service.
    let descriptors = rlimit::increase_nofile_limit(rlimit::INFINITY).unwrap();
    if descriptors < 2 * GROWN as u64 {
        return eprintln!("skipped: {GROWN} connections need more file descriptors than the hard limit, {descriptors}");
    }
    let patient = [("REDPANE_HEADER_TIMEOUT", "8s")];
    trial("2,000 connections that idle after a head of 60 kB", &patient, &GROWN_HEADS, grown).await;
}

#[tokio::test]
async fn connections_of_http_2_that_say_nothing_any_more() {
    let few = [("REDPANE_MAX_CONNECTIONS", "50")];
    trial("HTTP/2: all of 50 connections, idle and silent", &few, &IDLE, silence).await;
}

#[tokio::test]
async fn connections_of_http_2_that_do_nothing_but_ping() {
    let few = [("REDPANE_MAX_CONNECTIONS", "50")];
    trial("HTTP/2: all of 50 connections, idle but for pings", &few, &IDLE, pings).await;
}
