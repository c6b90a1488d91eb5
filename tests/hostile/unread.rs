//! Clients that ask and do not take the answers.

use std::sync::LazyLock;
use std::time::Duration;

use crate::attackers::{Attackers, Socket};
use crate::expected::{Expected, Shown};
use crate::http2::Connection;
use crate::trial::trial;

pub(crate) const SCRAPES: Expected = Expected { grows: 24, shown: &[Shown::Lines("GET /metrics", 900)] };
pub(crate) const MANY_STREAMS: Expected =
    Expected { grows: 76, shown: &[Shown::Lines("GET /hello/{name} 200 aborted", 1000), Shown::Cut(1000.0)] };
pub(crate) const ECHOES: Expected =
    Expected { grows: 48, shown: &[Shown::Lines("POST /echo", 500), Shown::Cut(1.0), Shown::Sent(20)] };
pub(crate) const DEAF: Expected = Expected { grows: 80, shown: &[Shown::Lines("POST /echo", 290), Shown::Sent(100)] };
pub(crate) const PIPELINES: Expected =
    Expected { grows: 24, shown: &[Shown::Lines("GET /metrics 200 aborted", 190), Shown::Cut(190.0)] };

const MIB: usize = 1024 * 1024;
/// Nothing is to be heard from a client for this long but its answers to pings.
const QUIET: Duration = Duration::from_secs(3600);
/// What a service may have in flight on a connection.
const STREAMS: usize = 100;

/// A text in JSON, of one mebibyte with its quotes.
pub(crate) fn text() -> &'static [u8] {
    static TEXT: LazyLock<Vec<u8>> = LazyLock::new(|| [b"\"", &vec![b'a'; MIB - 2][..], b"\""].concat());
    &TEXT
}

/// The head of a request that posts [`text`].
pub(crate) fn head() -> String {
    format!("POST /echo HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: {MIB}\r\n\r\n")
}

/// Connections of HTTP/2 that ask for a path a hundred times at once, and give no window for an answer.
pub(crate) async fn ask_without_a_window(mut attackers: Attackers, clients: usize, path: &'static str) -> Attackers {
    let act = move |socket| async move {
        let mut connection = Connection::new(socket);
        (0..STREAMS).for_each(|_| _ = connection.get(path));
        connection.stay(QUIET).await;
    };
    attackers.send(clients, act).await;
    attackers
}

pub(crate) async fn scrapes(attackers: Attackers) -> Attackers {
    ask_without_a_window(attackers, 10, "/metrics").await
}

pub(crate) async fn streams(attackers: Attackers) -> Attackers {
    ask_without_a_window(attackers, 300, "/hello/a").await
}

/// 1,100 echoes of one mebibyte on eleven connections of HTTP/2, and no window for an answer.
pub(crate) async fn echoes(mut attackers: Attackers) -> Attackers {
    let act = async |socket| {
        let mut connection = Connection::new(socket);
        (0..STREAMS).for_each(|_| _ = connection.post("/echo", text()));
        connection.stay(QUIET).await;
    };
    attackers.send(11, act).await;
    attackers
}

/// 300 clients that post one mebibyte over HTTP/1 and read nothing.
pub(crate) async fn deaf(mut attackers: Attackers) -> Attackers {
    let act = async |mut socket: Socket| {
        if socket.send(head().as_bytes()).await {
            socket.send(text()).await;
        }
        socket.stay().await;
    };
    attackers.send(300, act).await;
    attackers
}

/// 200 clients that scrape 5,000 times in one go and read nothing.
pub(crate) async fn pipelines(mut attackers: Attackers) -> Attackers {
    let act = async |mut socket: Socket| {
        socket.send("GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n".repeat(5000).as_bytes()).await;
        socket.stay().await;
    };
    attackers.send(200, act).await;
    attackers
}

#[tokio::test]
async fn scrapes_over_http_2_that_get_no_window() {
    trial("HTTP/2, no window: 10 × 100 scrapes", &[], &SCRAPES, scrapes).await;
}

#[tokio::test]
async fn many_streams_on_many_connections() {
    trial("HTTP/2, no window: 300 × 100 small answers", &[], &MANY_STREAMS, streams).await;
}

#[tokio::test]
async fn echoes_over_http_2_that_get_no_window() {
    trial("HTTP/2, no window: 11 × 100 echoes of 1 MiB", &[], &ECHOES, echoes).await;
}

#[tokio::test]
async fn echoes_that_nobody_reads() {
    trial("300 echoes of 1 MiB that nobody reads", &[], &DEAF, deaf).await;
}

#[tokio::test]
async fn pipelines_that_nobody_reads() {
    trial("200 pipelines of 5,000 scrapes that nobody reads", &[], &PIPELINES, pipelines).await;
}
