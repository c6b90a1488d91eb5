//! Routes that are treated in a way of their own: streaming ones and quiet ones.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use http::StatusCode;
use test_support::{Observed, Scripted, Step, client, raw};
use tokio::sync::Notify;

use super::assert_line;

const GET_EVENTS: &str = "GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n";

#[tokio::test]
async fn a_streaming_route_is_over_at_its_headers() {
    let observed = Observed::with(|redpane| redpane.observe_until_headers(["/events"]));
    let handler = || async { Scripted::body([Step::Data("first event"), Step::Hang]) };
    let mut stream = raw::send(observed.serve(Router::new().route("/events", get(handler))).await, GET_EVENTS).await;
    let head = raw::read_until(&mut stream, "first event").await;

    // The body goes on, the client is there: counted and logged nevertheless.
    let line = observed.only_request().await;
    assert_line(&line, "INFO complete GET /events 200");
    assert_eq!(line["response_bytes"], serde_json::Value::Null, "nobody counts them");
    assert!(head.contains(line.str("trace_id")));
}

#[tokio::test]
async fn the_end_of_a_streaming_body_is_not_counted_again() {
    let observed = Observed::with(|redpane| redpane.observe_until_headers(["/broken", "/whole"]));
    let router = Router::new()
        .route("/whole", get(|| async { Scripted::body([Step::Data("all")]) }))
        .route("/broken", get(|| async { Scripted::body([Step::Data("half"), Step::Pause, Step::Panic]) }));
    let address = observed.serve(router).await;
    assert!(client::get(address, "/whole").await.whole);
    assert!(!client::get(address, "/broken").await.whole);
    let lines = observed.access_lines(2).await;
    assert_line(&lines[0], "INFO complete GET /whole 200");
    assert_line(&lines[1], "INFO complete GET /broken 200");
    let panics = observed.messages("the script panics here", 1).await;
    assert_eq!(panics[0]["trace_id"], lines[1]["trace_id"], "lines of the body still carry the ids");
}

#[tokio::test]
async fn client_gone_before_the_headers_of_a_streaming_route() {
    let observed = Observed::with(|redpane| redpane.observe_until_headers(["/events"]));
    let called = Arc::new(Notify::new());
    let calling = Arc::clone(&called);
    let handler = move || async move {
        calling.notify_one();
        std::future::pending::<&str>().await
    };
    let stream = raw::send(observed.serve(Router::new().route("/events", get(handler))).await, GET_EVENTS).await;
    called.notified().await;
    drop(stream);
    assert_line(&observed.only_request().await, "WARN aborted GET /events 499");
}

#[tokio::test]
async fn a_quiet_route_is_counted_and_only_logged_when_it_fails() {
    let observed = Observed::with(|redpane| redpane.log_failures_only(["/probe/{status}"]));
    let handler = |Path(status): Path<u16>| async move { StatusCode::from_u16(status).unwrap() };
    let address = observed.serve(Router::new().route("/probe/{status}", get(handler))).await;
    for status in ["200", "304", "404", "503"] {
        let answer = client::get(address, &format!("/probe/{status}")).await;
        assert_eq!(answer.header("x-trace-id").len(), 32, "quiet is the log, not the answer");
    }
    observed.finished(4).await;
    let lines = observed.lines();
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert_line(&lines[0], "WARN complete GET /probe/{status} 404");
    assert_line(&lines[1], "ERROR complete GET /probe/{status} 503");
    let counted = ["200", "304", "404", "503"].map(|status| (format!("GET /probe/{{status}} {status}"), 1.0));
    assert_eq!(observed.samples().requests(), counted);
}

#[tokio::test]
async fn the_usual_probes_and_the_metrics_are_quiet() {
    let observed = Observed::new();
    let ok = || get(|| async { "ok" });
    let address = observed.serve(Router::new().route("/healthz", ok()).route("/readyz", ok())).await;
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(client::get(address, path).await.status, StatusCode::OK);
    }
    observed.finished(3).await;
    assert!(observed.lines().is_empty(), "{:#?}", observed.lines());
    let counted = ["/healthz", "/metrics", "/readyz"].map(|path| (format!("GET {path} 200"), 1.0));
    assert_eq!(observed.samples().requests(), counted);
}

#[tokio::test]
async fn a_quiet_route_is_left_out_of_the_gauge_of_requests_in_flight() {
    let observed = Observed::with(|redpane| redpane.log_failures_only(["/probe"]));
    let called = Arc::new(Notify::new());
    let calling = Arc::clone(&called);
    let hang = get(move || async move {
        calling.notify_one();
        std::future::pending::<&str>().await
    });
    let address = observed.serve(Router::new().route("/probe", hang.clone()).route("/work", hang)).await;
    let ask = |path: &str| raw::send(address, format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n"));
    let shown = || observed.samples().value("http_requests_in_flight", &[]);
    let probe = ask("/probe").await;
    called.notified().await;
    assert_eq!((shown(), observed.telemetry.in_flight()), (0.0, 1), "who waits for the end waits for it too");
    let work = ask("/work").await;
    called.notified().await;
    assert_eq!((shown(), observed.telemetry.in_flight()), (1.0, 2));
    drop((probe, work));
    observed.finished(2).await;
    assert_eq!(shown(), 0.0);
}

#[tokio::test]
async fn a_quiet_route_that_panics_has_its_lines() {
    let observed = Observed::with(|redpane| redpane.log_failures_only(["/"]));
    let handler = || async {
        if true {
            panic!("not so quiet")
        }
    };
    client::get(observed.serve(Router::new().route("/", get(handler))).await, "/").await;
    assert_line(&observed.only_request().await, "ERROR panic GET / 500");
    observed.messages("not so quiet", 1).await;
}
