//! Clients that begin and do not come to an end.

use std::sync::Arc;
use std::time::Duration;

use crate::attackers::{Attackers, Socket};
use crate::expected::{Expected, Shown};
use crate::trial::trial;
use crate::unread::{head, text};

pub(crate) const BODIES: Expected = Expected { grows: 90, shown: &[Shown::Lines("POST /echo", 450), Shown::Sent(100)] };
pub(crate) const HEADS: Expected = Expected { grows: 48, shown: &[Shown::Sent(8), Shown::Cut(20.0)] };
pub(crate) const LARGE_HEADS: Expected = Expected { grows: 24, shown: &[Shown::Sent(50), Shown::Refused(250)] };

/// What comes of each body at once.
const BEGUN: usize = 900 * 1024;
/// Time between two of the bytes that come later.
const PAUSE: Duration = Duration::from_millis(200);

/// 500 clients that declare one mebibyte, send 900 KiB of it and then a byte now and then.
pub(crate) async fn bodies(mut attackers: Attackers) -> Attackers {
    let act = async |mut socket: Socket| {
        let (begun, rest) = text().split_at(BEGUN);
        let mut goes_on = socket.send(head().as_bytes()).await && socket.send(begun).await;
        for byte in rest.chunks(1) {
            goes_on = goes_on && socket.send(byte).await;
            tokio::time::sleep(PAUSE).await;
        }
    };
    attackers.send(500, act).await;
    attackers
}

/// The beginning of a head.
fn unfinished(bytes: usize) -> Arc<str> {
    format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}", "x".repeat(bytes)).into()
}

/// 300 heads of 60 kB that have no end.
pub(crate) async fn heads(mut attackers: Attackers) -> Attackers {
    let head = unfinished(60_000);
    let act = |mut socket: Socket| {
        let head = Arc::clone(&head);
        async move {
            socket.send(head.as_bytes()).await;
            socket.stay().await;
        }
    };
    attackers.send(300, act).await;
    attackers
}

/// 300 heads of 1.9 MB.
pub(crate) async fn large_heads(mut attackers: Attackers) -> Attackers {
    let head = unfinished(1_900_000);
    let act = |socket: Socket| {
        let head = Arc::clone(&head);
        async move { socket.send_and_listen(head.as_bytes(), |heard| heard.starts_with(b"HTTP/1.1 431 ")).await }
    };
    attackers.send(300, act).await;
    attackers.finish().await;
    attackers
}

#[tokio::test]
async fn bodies_that_drip() {
    trial("500 bodies of 1 MiB that stop at 900 KiB and drip", &[("REDPANE_REQUEST_TIMEOUT", "5s")], &BODIES, bodies)
        .await;
}

#[tokio::test]
async fn heads_without_an_end() {
    trial("300 heads of 60 kB without an end", &[], &HEADS, heads).await;
}

#[tokio::test]
async fn heads_that_are_too_large() {
    trial("300 heads of 1.9 MB", &[], &LARGE_HEADS, large_heads).await;
}
