//! Answers that stream: their requests end at the headers, and the streams have a life, a line and metrics of their own.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Body;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{any, get};
use http::header;
use hyper_util::rt::TokioIo;
use redpane::{FinishedRequest, FinishedStream, Redpane, RequestContext, RequestObserver};
use test_support::browser::{Browser, installed};
use test_support::{Line, Observed, Scripted, Step, client, eventually, is_required};
use tokio_tungstenite::tungstenite::Message as Sent;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::{WebSocketStream, connect_async};
use tower_http::trace::TraceLayer;

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
        in_flight(&observed, "/events/{topic}", 0.0).await;
        let samples = observed.samples();
        for one in ["complete", "aborted", "body_error", "panic", "timeout", "error"] {
            let ended = samples.value("http_streams_total", &[("route", "/events/{topic}"), ("outcome", one)]);
            assert_eq!(ended, f64::from(one == outcome), "{one}, so that rate() sees the first that ends badly");
        }
    }
}

/// Keeps what it is told.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl RequestObserver for Seen {
    fn finished(&self, request: &FinishedRequest<'_>) {
        self.0.lock().unwrap().push(format!("request {} {}", request.route(), request.outcome().as_str()));
    }

    fn stream_finished(&self, stream: &FinishedStream<'_>) {
        let ids = redpane::current().is_some_and(|context| context.trace_id() == stream.trace_id());
        let bytes = stream.response_bytes().map_or("no".into(), |bytes| bytes.to_string());
        let (outcome, fields) = (stream.outcome().as_str(), stream.fields().count());
        let text = format!(
            "stream {} {} {outcome} {} {bytes} bytes, {fields} fields, inside: {ids}",
            stream.method(),
            stream.route(),
            stream.level()
        );
        self.0.lock().unwrap().push(text);
        assert_eq!((stream.path(), stream.status()), ("/events/a", 200), "the panic of an observer is caught");
        assert!(stream.started() <= SystemTime::now() && stream.duration() < Duration::from_secs(60));
        assert!(!stream.request_id().is_empty() && stream.grpc_code().is_none() && stream.client().is_some());
    }
}

#[tokio::test]
async fn an_observer_sees_how_a_stream_ends() {
    let seen = Seen::default();
    let observed = Observed::with(|redpane| redpane.observer(seen.clone()));
    let broken = || {
        vec![Step::Run(Box::new(|| redpane::record("sent", 1))), Step::Data("data: 1\n\n"), Step::Pause, Step::Error]
    };
    let address = observed.serve(route(broken)).await;
    client::get(address, "/events/a").await;
    stream_line(&observed).await;
    in_flight(&observed, "/events/{topic}", 0.0).await;
    let expected = [
        "request /events/{topic} complete",
        "stream GET /events/{topic} body_error ERROR 9 bytes, 1 fields, inside: true",
    ];
    assert_eq!(seen.all(), expected);
    // This one panics for its path.
    client::get(address, "/events/b").await;
    let panic = observed.messages("stream", 2).await.remove(1)["trace_id"].clone();
    in_flight(&observed, "/events/{topic}", 0.0).await;
    let lines = observed.lines();
    assert!(lines.iter().any(|line| line["target"] == "redpane::panic" && line["trace_id"] == panic), "{lines:#?}");
}

#[tokio::test]
async fn what_only_begins_like_an_event_stream_is_none() {
    for (content_type, streams) in [
        ("text/event-stream", 1.0),
        ("Text/Event-Stream ; charset=utf-8", 1.0),
        ("text/event-streams", 0.0),
        ("text/event-stream+json", 0.0),
        ("text/event", 0.0),
    ] {
        let observed = Observed::new();
        let body = move || async move {
            ([(header::CONTENT_TYPE, content_type)], Scripted::body(vec![Step::Data("data: x\n\n")]))
        };
        let address = observed.serve(Router::new().route("/", get(body))).await;
        client::get(address, "/").await;
        observed.finished(1).await;
        let ended = async || (observed.samples().sum("http_streams_total", &[]) == streams).then_some(());
        eventually(&format!("{streams} streams of {content_type}"), ended).await;
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

fn chat(then: fn()) -> Router {
    let scoped = move |context: RequestContext, upgrade: WebSocketUpgrade| async move {
        upgrade.on_upgrade(move |socket| async move {
            let echoed = async move {
                echo(socket).await;
                then();
            };
            context.scope(echoed).await
        })
    };
    Router::new().route("/chat", any(scoped))
}

#[tokio::test]
async fn a_websocket_whose_task_panics_has_failed() {
    let observed = Observed::new();
    let address = observed.serve(chat(|| panic!("the chat falls over"))).await;
    let (mut socket, _) = connect_async(format!("ws://{address}/chat")).await.unwrap();
    socket.close(None).await.unwrap();
    let stream = stream_line(&observed).await;
    assert_eq!((stream.str("outcome"), stream.str("level"), stream.str("room")), ("panic", "ERROR", "blue"));
    in_flight(&observed, "/chat", 0.0).await;
    let samples = observed.samples();
    assert_eq!(samples.value("http_streams_total", &[("route", "/chat"), ("outcome", "panic")]), 1.0);
    assert_eq!(samples.sum("http_streams_total", &[]), 1.0);
}

/// A layer inside that wraps the body keeps its span in there, and with it the ids of the request: until the head is sent, and
/// for no stream.
#[test]
fn a_websocket_below_a_trace_layer_is_no_stream_of_the_layers() {
    let observed = Observed::new();
    observed.run(async {
        let plain = |upgrade: WebSocketUpgrade| async move { upgrade.on_upgrade(echo) };
        let layer = TraceLayer::new_for_http().make_span_with(|_: &http::Request<Body>| tracing::info_span!("request"));
        let router = chat(|| ()).route("/plain", any(plain)).layer(layer);
        let address = observed.serve(router).await;
        let (mut socket, _) = connect_async(format!("ws://{address}/plain")).await.unwrap();
        socket.close(None).await.unwrap();
        observed.finished(1).await;
        let (mut socket, _) = connect_async(format!("ws://{address}/chat")).await.unwrap();
        in_flight(&observed, "/chat", 1.0).await;
        socket.close(None).await.unwrap();
        in_flight(&observed, "/chat", 0.0).await;
        assert_eq!(stream_line(&observed).await.str("route"), "/chat");
        assert_eq!(observed.samples().sum("http_streams_total", &[]), 1.0, "and none of /plain");
    });
}

/// A WebSocket over HTTP/2 (RFC 8441).
#[tokio::test]
async fn a_websocket_over_connect_is_a_stream() {
    let observed = Observed::new();
    let address = observed.serve(chat(|| ())).await;
    let mut sender = client::connect_http2(address).await;
    // The server has to say first that it takes such requests, which it does before it answers one.
    let first = client::request(http::Method::GET, "/").body(Body::empty()).unwrap();
    sender.send_request(client::for_http2(address, first)).await.unwrap();
    let asked = http::Request::builder()
        .method(http::Method::CONNECT)
        .uri(format!("http://{address}/chat"))
        .version(http::Version::HTTP_2)
        .header("sec-websocket-version", "13")
        .extension(hyper::ext::Protocol::from_static("websocket"));
    let answer = sender.send_request(asked.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(answer.status(), 200);
    in_flight(&observed, "/chat", 1.0).await;
    let line = observed.access_lines(2).await.remove(1);
    assert_eq!((line.str("method"), &line["status"], line.str("outcome")), ("CONNECT", &200.into(), "complete"));
    let upgraded = TokioIo::new(hyper::upgrade::on(answer).await.unwrap());
    let mut socket = WebSocketStream::from_raw_socket(upgraded, Role::Client, None).await;
    futures_util::SinkExt::send(&mut socket, Sent::text("hello")).await.unwrap();
    assert_eq!(futures_util::StreamExt::next(&mut socket).await.unwrap().unwrap(), Sent::text("hello"));
    socket.close(None).await.unwrap();
    in_flight(&observed, "/chat", 0.0).await;
    let stream = stream_line(&observed).await;
    assert_eq!((stream.str("method"), stream.str("outcome"), stream.str("room")), ("CONNECT", "complete", "blue"));
    assert_eq!(stream["trace_id"], line["trace_id"]);
}

#[tokio::test]
async fn an_event_stream_may_be_a_request_to_its_end() {
    let observed = Observed::with(|redpane| redpane.observe_until_end(["/events/{topic}"]));
    let answer = || vec![Step::Data("data: 1\n\n"), Step::Pause, Step::Data("data: 2\n\n")];
    let address = observed.serve(route(answer)).await;
    client::get(address, "/events/a").await;
    let line = observed.only_request().await;
    assert_eq!((line.str("outcome"), &line["response_bytes"]), ("complete", &18.into()));
    assert_eq!(observed.samples().sum("http_streams_total", &[]), 0.0);
    assert!(observed.lines().iter().all(|line| line["message"] != "stream"));
    let both = Redpane::new("test").observe_until_headers(["/a"]).observe_until_end(["/a"]);
    assert!(both.build().unwrap_err().to_string().contains("observe_until_end(\"/a\")"));
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
