//! Requests that break: vanished clients, broken bodies, timeouts.

use std::future::pending;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use test_support::{Observed, Scripted, Step, client, raw};
use tokio::sync::mpsc;

use super::{asked, assert_line, one};

const GET: &str = "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// A router whose handler says that it was called, and then never answers.
fn never_answering() -> (Router, mpsc::UnboundedReceiver<()>) {
    let (called, calls) = mpsc::unbounded_channel();
    let handler = move || async move {
        called.send(()).unwrap();
        pending::<&str>().await
    };
    (Router::new().route("/", get(handler)), calls)
}

#[tokio::test]
async fn client_gone_before_the_headers() {
    let observed = Observed::new();
    let (router, mut calls) = never_answering();
    let stream = raw::send(observed.serve(router).await, GET).await;
    calls.recv().await.unwrap();
    assert_eq!(observed.telemetry.in_flight(), 1);
    drop(stream);
    let line = observed.only_request().await;
    assert_line(&line, "WARN aborted GET / 499");
    assert_eq!(line["response_bytes"], 0);
}

#[tokio::test]
async fn http2_client_that_cancels_before_the_headers() {
    let observed = Observed::new();
    let (router, mut calls) = never_answering();
    let address = observed.serve(router).await;
    let mut connection = client::connect_http2(address).await;
    let answer = tokio::spawn(connection.send_request(client::for_http2(address, asked())));
    calls.recv().await.unwrap();
    answer.abort();
    assert_line(&observed.only_request().await, "WARN aborted GET / 499");
}

#[tokio::test]
async fn client_that_sends_half_a_body() {
    let observed = Observed::new();
    let router = Router::new().route("/", axum::routing::post(|body: String| async { body }));
    let stream =
        raw::send(observed.serve(router).await, "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nhalf");
    drop(stream.await);
    // axum answers a broken request body with 400, where hyper still gives the handler the time for it.
    let line = observed.only_request().await;
    let (outcome, status) = (line.str("outcome"), &line["status"]);
    assert!(["aborted", "complete"].contains(&outcome) && (status == 400 || status == 499), "{}", line.text);
}

#[tokio::test]
async fn client_gone_in_the_body() {
    let observed = Observed::new();
    let router = Router::new().route("/", get(|| async { Scripted::body([Step::Endless(&[b'x'; 8192])]) }));
    let mut stream = raw::send(observed.serve(router).await, GET).await;
    let head = raw::read_until(&mut stream, "\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    drop(stream);
    let line = observed.only_request().await;
    assert_line(&line, "WARN aborted GET / 200");
    assert!(line["response_bytes"].as_u64().unwrap() >= 8192, "what the body gave is counted: {}", line.text);
    assert!(head.contains(line.str("trace_id")));
}

#[tokio::test]
async fn client_gone_while_the_body_waits() {
    let observed = Observed::new();
    let router = Router::new().route("/", get(|| async { Scripted::body([Step::Data("some"), Step::Hang]) }));
    let mut stream = raw::send(observed.serve(router).await, GET).await;
    raw::read_until(&mut stream, "some").await;
    assert_eq!(observed.telemetry.in_flight(), 1);
    drop(stream);
    let line = observed.only_request().await;
    assert_line(&line, "WARN aborted GET / 200");
    assert_eq!(line["response_bytes"], 4);
}

/// hyper holds back the headers until the body gives something or waits: nothing was sent, yet 200 was the answer.
#[tokio::test]
async fn body_that_breaks_before_anything_is_sent() {
    let observed = Observed::new();
    let router = Router::new().route("/", get(|| async { Scripted::body([Step::Error]) }));
    let answer = raw::exchange(observed.serve(router).await, GET).await;
    assert_eq!(answer, "");
    assert_line(&observed.only_request().await, "ERROR body_error GET / 200");
}

#[tokio::test]
async fn broken_body() {
    let router =
        Router::new().route("/", get(|| async { Scripted::body([Step::Data("half"), Step::Pause, Step::Error]) }));
    let (answer, line) = one(router, asked()).await;
    assert!(!answer.whole, "the client must see that the body is broken");
    assert_line(&line, "ERROR body_error GET / 200");
    assert_eq!(line["response_bytes"], 4);
}

async fn time_limit(request: Request, next: Next) -> Response {
    let answered = tokio::time::timeout(Duration::from_millis(20), next.run(request)).await;
    answered.unwrap_or_else(|_| {
        let mut response = (StatusCode::SERVICE_UNAVAILABLE, "took too long").into_response();
        response.extensions_mut().insert(redpane::TimedOut);
        response
    })
}

#[tokio::test]
async fn timeout() {
    let slow = Router::new().route("/", get(pending::<&str>)).layer(middleware::from_fn(time_limit));
    let (answer, line) = one(slow, asked()).await;
    assert_eq!(answer.text(), "took too long");
    assert_line(&line, "ERROR timeout GET / 503");
    assert!(line["duration_seconds"].as_f64().unwrap() >= 0.02);
}
