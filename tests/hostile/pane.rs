//! Viewers of the pane that mean harm, while the API is asked as fast as it goes.

use http::Method;
use test_support::process::free_address;
use test_support::{client, eventually};

use crate::attackers::{Counts, Socket, connect};
use crate::service::Service;
use crate::trial::alone;
use crate::{ANOTHER_CLIENT_WAITS, SETTINGS};

const MIB: u64 = 1024 * 1024;
/// What docs/pane.md says that the pane takes at most, what answers on their way may have, and half as much again.
const GROWS: u64 = 48 * MIB + 24 * MIB + 36 * MIB;
const PANE_BYTES: f64 = 48.0 * 1024.0 * 1024.0;
/// Viewers at most, and one more than connections at most.
const VIEWERS: usize = 16;
const CONNECTIONS: usize = 65;
/// Requests between two looks, with a line of a kilobyte each, and how often: more lines than the pane holds.
const REQUESTS: usize = 2000;
const ROUNDS: usize = 10;

/// Feeds that nobody reads, heads without an end, and questions whose large answers nobody takes.
async fn harm(number: usize, mut socket: Socket) -> Socket {
    let text = match number {
        0..VIEWERS => "GET /api/live HTTP/1.1\r\nhost: localhost\r\n\r\n".to_owned(),
        VIEWERS..32 => format!("GET / HTTP/1.1\r\nhost: localhost\r\nx-endless: {}", "a".repeat(30_000)),
        _ => "GET /api/lines?limit=1000 HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(50),
    };
    socket.send(text.as_bytes()).await;
    socket
}

#[tokio::test]
async fn viewers_that_take_nothing_hold_neither_memory_nor_requests() {
    let _alone = alone().await;
    let pane = free_address();
    let address = pane.to_string();
    let mut service = Service::start(&[&SETTINGS[..], &[("REDPANE_PANE_LISTEN", &*address)]].concat()).await;
    let path = format!("/hello/{}", "a".repeat(1000));
    client::get_many(service.address, path.clone(), REQUESTS).await;
    let at_rest = service.resident();
    let counts = Counts::default();
    let mut sockets = Vec::new();
    for number in 0..CONNECTIONS {
        sockets.push(harm(number, connect(pane, &counts).await).await);
    }
    for _ in 0..ROUNDS {
        client::get_many(service.address, path.clone(), REQUESTS).await;
        let probe = tokio::time::timeout(ANOTHER_CLIENT_WAITS, service.ask("/healthz")).await;
        assert!(matches!(probe, Ok(Ok(answer)) if answer.status == 200), "another client of the API is answered");
    }
    let samples = service.scrape().await;
    let (bytes, grown) = (samples.value("redpane_pane_bytes", &[]), service.peak().saturating_sub(at_rest));
    assert!(bytes > 0.0 && bytes <= PANE_BYTES, "the pane says that it has {bytes} bytes");
    assert!(grown <= GROWS, "it grew by {grown} bytes, not by {GROWS} at most");
    service.read_lines(&samples).await;
    drop(sockets);
    eventually("there is room for viewers again", async || {
        let overview = client::get(pane, "/api/overview").await;
        overview.text().contains("\"viewers\":0,").then_some(())
    })
    .await;
    let large = client::request(Method::PUT, "/api/log-filter").header("content-type", "application/json");
    let refused = client::send(pane, large.body("x".repeat(9000).into()).unwrap()).await;
    assert_eq!(refused.status, 413, "{}", refused.text());
    service.process.signal("TERM");
    assert_eq!(service.process.exit_code().await, 0, "{}", service.process.errors());
}
