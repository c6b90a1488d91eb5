//! A shutdown in the middle of work: everything is answered, everything is logged.

use std::net::SocketAddr;
use std::time::Duration;

use http::StatusCode;
use test_support::process::{Reading, listening};
use test_support::{Samples, Scripted, Step, client, eventually, raw};
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use super::{assert_problem, redpane};

const FAULTS: (&str, &str) = ("REDPANE_FAULTS", "true");

/// Waits until this many requests are being served, the scrape that says so left out.
pub(super) async fn in_flight(address: SocketAddr, requests: usize) {
    eventually(&format!("{requests} requests are in flight"), async || {
        let samples = Samples::parse(client::get(address, "/metrics").await.text());
        (samples.value("http_requests_in_flight", &[]) as usize == requests).then_some(())
    })
    .await;
}

#[tokio::test]
async fn two_hundred_requests_in_flight_are_all_answered_and_logged() {
    let (mut process, address) = listening(redpane(&[], &[FAULTS]), Reading::AsItComes).await;
    let asking = |_| tokio::spawn(async move { client::get(address, "/faults/delay/2500").await });
    let asked: Vec<_> = (0..200).map(asking).collect();
    in_flight(address, 200).await;
    process.signal("TERM");
    let mut traces = Vec::new();
    for answer in asked {
        let answer = answer.await.unwrap();
        assert_eq!((answer.status, answer.text()), (StatusCode::OK, "{\"delay_ms\":2500}"));
        traces.push(answer.header("x-trace-id").to_owned());
    }
    assert_eq!(process.exit_code().await, 0, "{}", process.errors());
    assert_eq!(process.errors(), "");
    let lines = process.lines();
    let mut logged: Vec<_> = lines.iter().filter(|line| line.is_access()).map(|line| line.str("trace_id")).collect();
    logged.sort_unstable();
    traces.sort_unstable();
    assert_eq!(logged, traces, "each exactly once");
    let last = lines.last().unwrap();
    assert_eq!((last.str("message"), &last["cut"]), ("shut down: no request was cut", &0.into()));
    assert!(lines.iter().any(|line| line["message"] == "asked to shut down" && line["signal"] == "SIGTERM"));
}

#[tokio::test]
async fn while_it_drains_it_is_not_ready_and_closes_what_is_idle() {
    let (mut process, address) = listening(redpane(&[], &[FAULTS]), Reading::AsItComes).await;
    let mut idle = raw::send(address, "GET /hello/ada HTTP/1.1\r\nhost: a\r\n\r\n").await;
    raw::read_until(&mut idle, "}").await;
    let working = tokio::spawn(async move { client::get(address, "/faults/delay/2000").await });
    in_flight(address, 1).await;
    process.signal("TERM");
    process.line("shutting down: not ready any more").await;

    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).await.unwrap();
    assert!(rest.is_empty(), "closed, and nothing more was said: {rest:?}");
    let ready = client::get(address, "/readyz").await;
    assert!(assert_problem(&ready, 503).contains("shutting down"));
    assert_eq!(ready.header("connection"), "close");
    assert_eq!(client::get(address, "/healthz").await.status, StatusCode::OK, "it lives still");
    assert_eq!(client::get(address, "/hello/late").await.status, StatusCode::OK, "whoever comes is served");
    assert!(!working.is_finished(), "all that was while the request was in flight");

    let answer = working.await.unwrap();
    assert_eq!((answer.status, answer.header("connection")), (StatusCode::OK, "close"));
    assert_eq!(process.exit_code().await, 0, "{}", process.errors());
    let lines = process.lines();
    let probe = lines.iter().find(|line| line.get("route").is_some_and(|route| route == "/readyz"));
    ready.belongs_to(probe.expect("a probe that fails has a line"));
}

/// Until a request begins there is nothing to wait for, whatever its protocol may become.
#[tokio::test]
async fn who_has_not_asked_yet_is_closed_without_a_word() {
    let patient = [("REDPANE_HEADER_TIMEOUT", "10m"), ("REDPANE_SHUTDOWN_GRACE", "10m")];
    let (mut process, address) = listening(redpane(&[], &patient), Reading::AsItComes).await;
    let mut streams = Vec::new();
    for bytes in ["", "P", "PRI * HT"] {
        streams.push((bytes, raw::send(address, bytes).await));
    }
    process.signal("TERM");
    for (bytes, mut stream) in streams {
        let said = timeout(Duration::from_secs(30), raw::read_to_end(&mut stream)).await;
        assert_eq!(said.as_deref(), Ok(""), "{bytes:?}");
    }
    assert_eq!(process.exit_code().await, 0, "{}", process.errors());
}

/// Whose connection was complete before the listener closed is served, however few places there are.
#[tokio::test]
async fn those_who_wait_for_a_place_at_the_end_are_served() {
    let two = ("REDPANE_MAX_CONNECTIONS", "2");
    let (mut process, address) = listening(redpane(&[], &[FAULTS, two]), Reading::AsItComes).await;
    let early = tokio::spawn(async move { client::get(address, "/faults/delay/1500").await });
    in_flight(address, 1).await;
    process.signal("TERM");
    process.line("shutting down: not ready any more").await;
    // The early one ends before this, and with it the listener.
    let mut late = raw::send(address, "GET /faults/delay/4000 HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let mut waiting = Vec::new();
    for _ in 0..8 {
        waiting.push(raw::send(address, "GET /hello/ada HTTP/1.1\r\nhost: a\r\n\r\n").await);
    }
    assert_eq!(early.await.unwrap().status, StatusCode::OK);
    for stream in &mut waiting {
        let answer = raw::read_until(stream, "}").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    assert!(raw::read_until(&mut late, "}").await.starts_with("HTTP/1.1 200"));
    assert_eq!(process.exit_code().await, 0, "{}", process.errors());
}

#[tokio::test]
async fn a_body_half_way_is_sent_to_its_end() {
    let (mut process, address) = listening(redpane(&[], &[FAULTS]), Reading::AsItComes).await;
    let head = "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 7\r\n\r\n";
    let mut stream = raw::send(address, format!("{head}\"so")).await;
    in_flight(address, 1).await;
    process.signal("TERM");
    process.line("shutting down: not ready any more").await;
    tokio::io::AsyncWriteExt::write_all(&mut stream, b" it\"").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("\"so it\""), "{answer}");
    assert_eq!(process.exit_code().await, 0);
}

/// Nobody gets the answer to a request that was cut, whatever it would have been.
#[tokio::test]
async fn an_upload_that_is_cut_is_the_same_in_both_protocols() {
    let settings = [FAULTS, ("REDPANE_SHUTDOWN_GRACE", "300ms")];
    let (mut process, address) = listening(redpane(&[], &settings), Reading::AsItComes).await;
    let head = "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 7\r\n\r\n";
    let _one = raw::send(address, format!("{head}\"so")).await;
    let request = client::request(http::Method::POST, "/echo").header("content-type", "application/json");
    let request = request.body(Scripted::body([Step::Data("\"so"), Step::Hang])).unwrap();
    let _two = tokio::spawn(client::send_http2(address, request));
    in_flight(address, 2).await;
    process.signal("TERM");
    assert_eq!(process.exit_code().await, 1, "two were cut");
    let lines: Vec<_> = process.lines().into_iter().filter(|line| line.is_access()).collect();
    assert_eq!(lines.len(), 2);
    for line in lines {
        assert_eq!((line["status"].to_string(), line.str("outcome")), ("499".into(), "aborted"));
    }
}

#[tokio::test]
async fn http_2_streams_in_flight_are_answered() {
    let (mut process, address) = listening(redpane(&[], &[FAULTS]), Reading::AsItComes).await;
    let asking = |_| {
        let request = client::request(http::Method::GET, "/faults/delay/1000").body("".into()).unwrap();
        tokio::spawn(client::send_http2(address, request))
    };
    let asked: Vec<_> = (0..3).map(asking).collect();
    in_flight(address, 3).await;
    process.signal("TERM");
    for answer in asked {
        assert_eq!(answer.await.unwrap().text(), "{\"delay_ms\":1000}");
    }
    assert_eq!(process.exit_code().await, 0);
    assert_eq!(process.lines().iter().filter(|line| line.is_access()).count(), 3);
}
