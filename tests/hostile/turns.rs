//! Clients that keep the service at work: everything they send is answered, and they read what they get.

use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt;

use crate::attackers::{Attackers, Socket};
use crate::expected::{Expected, Shown};
use crate::trial::trial;
use crate::unread::ask_without_a_window;

pub(crate) const READ: Expected = Expected { grows: 64, shown: &[Shown::Probes(10_000.0)] };
pub(crate) const LARGE: Expected =
    Expected { grows: 64, shown: &[Shown::Lines("GET /hello/{name}", 500), Shown::Sent(30)] };
pub(crate) const OBJECTS: Expected = Expected { grows: 64, shown: &[Shown::Lines("POST /echo", 8)] };
pub(crate) const PROBES: Expected = Expected { grows: 80, shown: &[Shown::Probes(1000.0), Shown::Cut(100.0)] };

/// How long they do it.
const TIME: Duration = Duration::from_secs(2);
const MIB: usize = 1024 * 1024;

/// Bytes of the shortest answer, at least.
const ANSWER: usize = 100;

/// Sends the same requests again and again, and reads so many bytes of their answers before the next ones, for [`TIME`].
async fn keep_asking(mut attackers: Attackers, clients: usize, requests: Vec<u8>, answers: usize) -> Attackers {
    let requests: &'static [u8] = requests.leak();
    let act = move |mut socket: Socket| async move {
        let end = Instant::now() + TIME;
        let mut buffer = vec![0; 64 * 1024];
        let mut due = 0;
        while Instant::now() < end && socket.send(requests).await {
            due += answers;
            while due > 0 {
                match socket.reader.read(&mut buffer).await {
                    Ok(read) if read > 0 => due = due.saturating_sub(read),
                    _ => return,
                }
            }
        }
    };
    attackers.send(clients, act).await;
    attackers.finish().await;
    attackers
}

pub(crate) async fn small(attackers: Attackers) -> Attackers {
    keep_asking(attackers, 100, "GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n".repeat(400).into_bytes(), 400 * ANSWER).await
}

pub(crate) async fn large(attackers: Attackers) -> Attackers {
    let head = format!("GET /hello/a HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "x".repeat(60_000));
    keep_asking(attackers, 100, head.repeat(8).into_bytes(), 8 * ANSWER).await
}

/// JSON that takes a hundred times its size as a tree.
pub(crate) async fn objects(attackers: Attackers) -> Attackers {
    let body = format!("[{}0]", r#"{"":0},"#.repeat((MIB - 3) / 7));
    let length = body.len();
    let head = "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length:";
    keep_asking(attackers, 8, format!("{head} {length}\r\n\r\n{body}").into_bytes(), length).await
}

/// All at once: the connections are there before.
pub(crate) async fn probes(attackers: Attackers) -> Attackers {
    ask_without_a_window(attackers, 500, "/healthz").await
}

#[tokio::test]
async fn pipelines_of_small_requests_that_are_read() {
    trial("100 pipelines of small requests, read, for 2 s", &[], &READ, small).await;
}

#[tokio::test]
async fn pipelines_of_large_heads_that_are_read() {
    trial("100 pipelines of heads of 60 kB, read, for 2 s", &[], &LARGE, large).await;
}

#[tokio::test]
async fn json_of_many_small_objects() {
    trial("8 clients that post 1 MiB of small objects for 2 s", &[], &OBJECTS, objects).await;
}

#[tokio::test]
async fn probes_over_http_2_that_get_no_window() {
    trial("HTTP/2, no window: 500 × 100 probes", &[], &PROBES, probes).await;
}
