//! The last scrape: what is counted until the end can be read before it is gone.

use std::net::{Ipv4Addr, SocketAddr};

use http::StatusCode;
use test_support::process::{Process, Reading, free_address, listening};
use test_support::{Samples, client, raw};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::shutdown::in_flight;
use super::{bare, json, redpane};

const FAULTS: (&str, &str) = ("REDPANE_FAULTS", "true");
const HOUR: (&str, &str) = ("REDPANE_LAST_SCRAPE", "1h");
const WAITS: &str = "every request has ended: /metrics waits for its last scrape";

/// A service that was asked to end while it answered a request, after that answer. It was read by 127.0.0.1 twice
/// before.
async fn waiting_for_a_scrape(variables: &[(&str, &str)]) -> (Process, SocketAddr) {
    let (process, address) = listening(redpane(&[], &[&[FAULTS, HOUR], variables].concat()), Reading::AsItComes).await;
    let request = tokio::spawn(async move { client::get(address, "/faults/delay/2000").await });
    in_flight(address, 1).await;
    in_flight(address, 1).await;
    process.signal("TERM");
    assert_eq!(request.await.unwrap().status, StatusCode::OK);
    process.line(WAITS).await;
    (process, address)
}

fn counted(metrics: &str, status: &str) -> f64 {
    let labels = [("method", "GET"), ("route", "/faults/delay/{ms}"), ("status", status)];
    Samples::parse(metrics).value("http_requests_total", &labels)
}

#[tokio::test]
async fn the_last_request_is_in_the_last_scrape() {
    let (mut process, address) = waiting_for_a_scrape(&[]).await;
    process.take_lines();
    for path in ["/readyz", "/hello/late", "/no/such/page"] {
        let answer = client::get(address, path).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(json(&answer)["detail"].as_str().unwrap().contains("another replica"), "{answer:?}");
    }
    assert_eq!(client::get(address, "/healthz").await.status, StatusCode::OK);
    assert_eq!(client::send(address, bare("HEAD", "/metrics")).await.status, StatusCode::OK, "which reads nothing");
    assert!(!process.has_ended());
    assert_eq!(counted(client::get(address, "/metrics").await.text(), "200"), 1.0);
    assert_eq!(process.exit_code().await, 0, "{}", process.errors());
    let lines = process.lines();
    let last = lines.last().unwrap();
    assert_eq!((last.str("message"), &last["cut"]), ("shut down: no request was cut", &0.into()));
    let levels: Vec<_> = lines.iter().filter(|line| line["level"] != "INFO").collect();
    assert!(levels.is_empty(), "a probe that asks now is no error: {levels:#?}");
}

#[tokio::test]
async fn a_listener_for_metrics_waits_alone() {
    let metrics = free_address();
    let variables = [FAULTS, HOUR, ("REDPANE_METRICS_LISTEN", &*metrics.to_string())];
    let (mut process, address) = listening(redpane(&[], &variables), Reading::AsItComes).await;
    assert_eq!(client::get(address, "/faults/delay/1").await.status, StatusCode::OK);
    process.signal("TERM");
    process.line(WAITS).await;
    assert!(TcpStream::connect(address).await.is_err(), "the other one is closed");
    assert_eq!(counted(client::get(metrics, "/metrics").await.text(), "200"), 1.0);
    assert_eq!(process.exit_code().await, 0, "{}", process.errors());
}

/// Reads `/metrics` from this address of the machine.
async fn read_from(host: [u8; 4], address: SocketAddr) -> String {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::from(host), 0).into()).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
    raw::read_to_end(&mut stream).await
}

#[cfg(target_os = "linux")] // All of 127.0.0.0/8 is this machine there.
#[tokio::test]
async fn each_of_two_scrapers_gets_it() {
    let (mut process, address) = listening(redpane(&[], &[HOUR]), Reading::AsItComes).await;
    let hosts = [[127, 0, 0, 1], [127, 0, 0, 2]];
    for host in hosts.into_iter().cycle().take(4) {
        assert!(read_from(host, address).await.starts_with("HTTP/1.1 200"));
    }
    process.signal("TERM");
    process.line(WAITS).await;
    assert!(read_from(hosts[1], address).await.starts_with("HTTP/1.1 200"));
    assert!(read_from(hosts[1], address).await.starts_with("HTTP/1.1 200"), "the first is waited for");
    assert!(!process.has_ended());
    assert!(read_from(hosts[0], address).await.starts_with("HTTP/1.1 200"));
    assert_eq!(process.exit_code().await, 0, "{}", process.errors());
}

#[tokio::test]
async fn who_does_not_come_is_named() {
    let (mut process, _) = waiting_for_a_scrape(&[("REDPANE_LAST_SCRAPE", "50ms")]).await;
    assert_eq!(process.exit_code().await, 0, "{}", process.errors());
    let told = process.line("the last scrape did not come").await;
    assert_eq!((told.str("level"), told.str("missing"), &told["at_most_seconds"]), ("WARN", "127.0.0.1", &0.05.into()));
}

#[tokio::test]
async fn a_second_signal_ends_the_wait() {
    let (mut process, _) = waiting_for_a_scrape(&[]).await;
    process.signal("TERM");
    assert_eq!(process.exit_code().await, 0, "{}", process.errors());
    assert_eq!(process.lines().pop().unwrap().str("message"), "shut down: no request was cut");
}

/// The grace is for requests, and what it cut is counted too.
#[tokio::test]
async fn requests_that_were_cut_are_in_it() {
    for grace in ["0s", "300ms"] {
        let variables = [FAULTS, HOUR, ("REDPANE_SHUTDOWN_GRACE", grace)];
        let (mut process, address) = listening(redpane(&[], &variables), Reading::AsItComes).await;
        let mut asking = raw::send(address, "GET /faults/delay/60000 HTTP/1.1\r\nhost: a\r\n\r\n").await;
        in_flight(address, 1).await;
        process.signal("TERM");
        process.line(WAITS).await;
        let mut answer = Vec::new();
        drop(asking.read_to_end(&mut answer).await);
        assert!(answer.is_empty(), "cut, not answered");
        assert_eq!(counted(client::get(address, "/metrics").await.text(), "499"), 1.0);
        assert_eq!(process.exit_code().await, 1, "{}", process.errors());
        let last = process.lines().pop().unwrap();
        assert_eq!(last.str("message"), "shut down early: 1 requests were cut");
    }
}
