//! Answers that stream: their requests end at the headers, and the streams have a life, a line and metrics of their own.

use axum::Router;
use axum::body::Body;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{any, get};
use http::header;
use redpane::RequestContext;
use test_support::browser::{Browser, installed};
use test_support::{Line, Observed, Scripted, Step, client, eventually, is_required};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message as Sent;

fn events(steps: Vec<Step>) -> Response {
    ([(header::CONTENT_TYPE, "text/event-stream;charset=utf-8")], Scripted::body(steps)).into_response()
}

fn route(steps: fn() -> Vec<Step>) -> Router {
    Router::new().route("/events/{topic}", get(move || async move { events(steps()) }))
}

/// The line of the only stream.
async fn stream_line(observed: &Observed) -> Line {
    observed.messages("stream", 1).await.remove(0)
}

async fn in_flight(observed: &Observed, route: &str, streams: f64) {
    eventually(&format!("{streams} streams are in flight"), async || {
        (observed.samples().sum("http_streams_in_flight", &[("route", route)]) == streams).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_event_stream_ends_its_request_at_the_headers() {
    let observed = Observed::new();
    let router = route(|| vec![Step::Data("data: first\n\n"), Step::Hang]);
    let address = observed.serve(router).await;
    let mut sender = client::keep_alive(address).await;
    let asked = client::request(http::Method::GET, "/events/a?token=s3cret").body(Body::empty()).unwrap();
    let answer = sender.send_request(asked).await.unwrap();
    // It goes on, and its request is over.
    in_flight(&observed, "/events/{topic}", 1.0).await;
    let line = observed.only_request().await;
    assert_eq!(
        (line.str("outcome"), &line["response_bytes"], line.str("level")),
        ("complete", &serde_json::Value::Null, "INFO")
    );
    let samples = observed.samples();
    assert_eq!(samples.value("http_requests_in_flight", &[]), 0.0);
    assert_eq!(samples.sum("http_stream_duration_seconds_count", &[]), 0.0);
    drop((answer, sender));
    in_flight(&observed, "/events/{topic}", 0.0).await;
    let stream = stream_line(&observed).await;
    for key in ["trace_id", "span_id", "method", "route", "path", "status", "request_id", "client"] {
        assert_eq!(stream[key], line[key], "{key} in {}", stream.text);
    }
    // A client that leaves is how such a stream ends.
    assert_eq!(
        (stream.str("outcome"), &stream["response_bytes"], stream.str("level")),
        ("aborted", &13.into(), "INFO")
    );
    let samples = observed.samples();
    assert_eq!(samples.value("http_stream_duration_seconds_count", &[("route", "/events/{topic}")]), 1.0);
    assert_eq!(samples.sum("http_requests_total", &[]), 1.0);
    let buckets = samples.of("http_stream_duration_seconds_bucket", &[]).count();
    let longest = samples.of("http_stream_duration_seconds_bucket", &[("le", "21600")]).count();
    assert_eq!((buckets, longest), (12, 1), "1 s to 6 h");
}

#[tokio::test]
async fn how_streams_end() {
    let finite: fn() -> Vec<Step> =
        || vec![Step::Data("data: 1\n\n"), Step::Run(Box::new(|| redpane::record("sent", 1)))];
    let broken: fn() -> Vec<Step> = || vec![Step::Data("data: 1\n\n"), Step::Pause, Step::Error];
    let panics: fn() -> Vec<Step> = || vec![Step::Data("data: 1\n\n"), Step::Pause, Step::Panic];
    for (steps, outcome, level) in
        [(finite, "complete", "INFO"), (broken, "body_error", "ERROR"), (panics, "panic", "ERROR")]
    {
        let observed = Observed::new();
        let address = observed.serve(route(steps)).await;
        client::get(address, "/events/a").await;
        let request = observed.only_request().await;
        let stream = stream_line(&observed).await;
        assert_eq!((request.str("outcome"), request.str("level")), ("complete", "INFO"));
        assert_eq!((stream.str("outcome"), stream.str("level")), (outcome, level), "{}", stream.text);
        assert_eq!(stream.get("sent").is_some(), outcome == "complete", "fields of the stream are on its line");
    }
}

#[tokio::test]
async fn a_marked_route_is_a_stream_and_a_body_with_a_length_is_none() {
    let observed = Observed::with(|redpane| redpane.observe_until_headers(["/marked"]));
    let whole = || async { ([(header::CONTENT_TYPE, "text/event-stream")], "data: 1\n\n") };
    let marked = || async { Scripted::body([Step::Data("some")]) };
    let address = observed.serve(Router::new().route("/marked", get(marked)).route("/whole", get(whole))).await;
    client::get(address, "/whole").await;
    client::get(address, "/marked").await;
    observed.access_lines(2).await;
    assert_eq!(stream_line(&observed).await.str("route"), "/marked");
}

/// Echoes until the client closes, inside of its request.
async fn echo(mut socket: WebSocket) {
    redpane::record("room", "blue");
    while let Some(Ok(message)) = socket.recv().await {
        match message {
            Message::Text(_) => socket.send(message).await.unwrap(),
            _ => return,
        }
    }
}

#[tokio::test]
async fn a_websocket_is_a_stream_for_as_long_as_something_runs_in_its_request() {
    let observed = Observed::new();
    let scoped = |context: RequestContext, upgrade: WebSocketUpgrade| async move {
        upgrade.on_upgrade(move |socket| async move { context.scope(echo(socket)).await })
    };
    let address = observed.serve(Router::new().route("/chat", any(scoped))).await;
    let (mut socket, answer) = connect_async(format!("ws://{address}/chat")).await.unwrap();
    assert_eq!(answer.status(), 101);
    in_flight(&observed, "/chat", 1.0).await;
    let line = observed.only_request().await;
    assert_eq!((&line["status"], line.str("outcome")), (&101.into(), "complete"));
    futures_util::SinkExt::send(&mut socket, Sent::text("hello")).await.unwrap();
    let echoed = futures_util::StreamExt::next(&mut socket).await.unwrap().unwrap();
    assert_eq!(echoed, Sent::text("hello"));
    assert_eq!(observed.samples().value("http_streams_in_flight", &[("route", "/chat")]), 1.0);
    socket.close(None).await.unwrap();
    in_flight(&observed, "/chat", 0.0).await;
    let stream = stream_line(&observed).await;
    assert_eq!(stream["trace_id"], line["trace_id"]);
    assert_eq!(
        (stream.str("outcome"), &stream["response_bytes"], stream.str("room")),
        ("complete", &serde_json::Value::Null, "blue")
    );
}

/// Nobody could tell when it ends: no number is better than a wrong one.
#[tokio::test]
async fn a_websocket_that_keeps_nothing_of_its_request_is_a_request_only() {
    let observed = Observed::new();
    let plain = |upgrade: WebSocketUpgrade| async move { upgrade.on_upgrade(echo) };
    let address = observed.serve(Router::new().route("/chat", any(plain))).await;
    let (mut socket, _) = connect_async(format!("ws://{address}/chat")).await.unwrap();
    socket.close(None).await.unwrap();
    assert_eq!(observed.only_request().await["status"], 101);
    assert_eq!(observed.samples().sum("http_streams_in_flight", &[]), 0.0);
    assert!(observed.lines().iter().all(|line| line["message"] != "stream"));
}

/// The page listens until it has heard two events, and closes.
const PAGE: &str = "<script>let heard = []; const source = new EventSource('/events/a');
source.onmessage = event => { heard.push(event.data); if (heard.length == 2) source.close() }</script>";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_eventsource_of_a_browser() {
    let Some(name) = installed() else {
        assert!(!is_required("chromium"), "no browser is installed");
        return;
    };
    let observed = Observed::new();
    let steps = || vec![Step::Data("data: one\n\n"), Step::Pause, Step::Data("data: two\n\n"), Step::Hang];
    let router = route(steps).route("/", get(|| async { Html(PAGE) }));
    let address = observed.serve(router).await;
    let asked = tokio::task::spawn_blocking(move || {
        let mut browser = Browser::start(name);
        browser.open(&format!("http://{address}/"));
        browser.until("two events are heard", "heard.join() == 'one,two'");
        browser.until("it is closed", "source.readyState == EventSource.CLOSED")
    });
    asked.await.unwrap();
    let stream = stream_line(&observed).await;
    assert_eq!((stream.str("outcome"), &stream["response_bytes"]), ("aborted", &22.into()));
    let samples = observed.samples();
    assert_eq!(samples.value("http_stream_duration_seconds_count", &[("route", "/events/{topic}")]), 1.0);
    assert_eq!(samples.sum("http_requests_total", &[("route", "/events/{topic}"), ("status", "200")]), 1.0);
}
