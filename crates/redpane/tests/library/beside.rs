//! redpane beside what applications use with it: the traits, layers and bodies that strangers brought along.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request as AxumRequest;
use axum::routing::get;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, header};
use redpane::{Redpane, RequestContext};
use test_support::{Log, Observed, Scripted, Step, client, raw};
use tower::{ServiceBuilder, ServiceExt};
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::services::ServeFile;
use tower_http::timeout::TimeoutLayer;
use tracing_subscriber::layer::SubscriberExt;

#[test]
fn it_compiles_with_the_trait_instrument_in_scope() {
    use tracing::Instrument as _;
    let telemetry = Redpane::new("test").log_writer(std::io::sink()).build().unwrap();
    let _: Router = telemetry.clone().instrument(Router::new());
    let _: Router = telemetry.instrument(Router::new());
    drop(async {}.instrument(tracing::Span::none()));
}

#[test]
fn two_log_layers_on_one_registry() {
    let (one, other) = (Observed::new(), Observed::new());
    let registry = tracing_subscriber::registry().with(one.telemetry.log_layer()).with(other.telemetry.log_layer());
    tracing::subscriber::with_default(registry, || {
        let span = tracing::info_span!("order", number = 17, later = tracing::field::Empty);
        let _entered = span.enter();
        span.record("later", true);
        tracing::info!("taken");
    });
    for observed in [one, other] {
        let lines = observed.lines();
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0]["spans"], serde_json::json!([{"name": "order", "number": 17, "later": true}]));
    }
}

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

#[tokio::test]
async fn one_request_id_with_the_layers_of_tower_http() {
    let handler = |headers: HeaderMap, context: RequestContext| async move {
        let seen = headers[HEADER].to_str().unwrap().to_owned();
        assert_eq!(seen, context.request_id());
        seen
    };
    let layers = ServiceBuilder::new()
        .layer(SetRequestIdLayer::new(HEADER, MakeRequestUuid))
        .layer(PropagateRequestIdLayer::new(HEADER));
    for sent in [None, Some("given"), Some("not usable\t")] {
        let observed = Observed::new();
        let address = observed.serve(Router::new().route("/", get(handler)).layer(layers.clone())).await;
        let mut request = client::request(http::Method::GET, "/").body(Body::empty()).unwrap();
        if let Some(sent) = sent {
            request.headers_mut().insert(HEADER, HeaderValue::from_static(sent));
        }
        let answer = client::send(address, request).await;
        let line = observed.only_request().await;
        answer.belongs_to(&line);
        assert_eq!(answer.text(), line.str("request_id"), "{sent:?}");
        assert_eq!(sent == Some("given"), answer.text() == "given");
    }
}

#[tokio::test]
async fn a_body_of_known_length_is_complete_once_its_bytes_are_handed_over() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let length = std::fs::metadata(file).unwrap().len();
    let proxied = || async {
        // A length that somebody else says, and a body that does not know its end.
        let body = Scripted::body([Step::Data("hello"), Step::Pause, Step::Hang]);
        ([(header::CONTENT_LENGTH, "5")], body)
    };
    let router = Router::new().route_service("/file", ServeFile::new(file)).route("/proxied", get(proxied));
    let observed = Observed::new();
    let address = observed.serve(router).await;

    let part = client::request(http::Method::GET, "/file").header("range", "bytes=0-9").body(Body::empty()).unwrap();
    for (request, status, bytes) in [
        (client::request(http::Method::GET, "/file").body(Body::empty()).unwrap(), 200, length),
        (part, 206, 10),
        (client::request(http::Method::GET, "/proxied").body(Body::empty()).unwrap(), 200, 5),
    ] {
        let path = request.uri().path().to_owned();
        let answer = client::send(address, request).await;
        assert_eq!((answer.status.as_u16(), answer.body.len() as u64), (status, bytes), "{path}");
    }
    for line in observed.access_lines(3).await {
        assert_eq!((line.str("outcome"), line.str("level")), ("complete", "INFO"), "{}", line.text);
    }
}

#[tokio::test]
async fn a_body_of_known_length_that_breaks_off_is_aborted() {
    let half = || async { ([(header::CONTENT_LENGTH, "10")], Scripted::body([Step::Data("hello"), Step::Hang])) };
    let observed = Observed::new();
    let address = observed.serve(Router::new().route("/", get(half))).await;
    let mut stream = raw::send(address, "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    raw::read_until(&mut stream, "hello").await;
    drop(stream);
    let line = observed.only_request().await;
    assert_eq!((line.str("outcome"), &line["response_bytes"]), ("aborted", &5.into()), "{}", line.text);
}

#[tokio::test]
async fn a_body_that_is_shorter_than_its_length_is_broken() {
    let short = || async { ([(header::CONTENT_LENGTH, "10")], Scripted::body([Step::Data("hello")])) };
    let observed = Observed::new();
    let address = observed.serve(Router::new().route("/", get(short))).await;
    let stream = raw::send(address, "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    let line = observed.only_request().await;
    drop(stream);
    assert_eq!((line.str("outcome"), line.str("level")), ("body_error", "ERROR"), "{}", line.text);
}

#[tokio::test]
async fn a_length_that_nobody_sends_spoils_no_sum() {
    let observed = Observed::new();
    let address = observed.serve(Router::new().route("/", get(|| async { "hello" }))).await;
    for _ in 0..3 {
        let head = "GET / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9223372036854775807\r\n\r\n";
        let mut stream = raw::send(address, head).await;
        raw::read_until(&mut stream, "hello").await;
    }
    observed.finished(3).await;
    assert_eq!(observed.samples().sum("http_request_size_bytes_sum", &[]), 0.0);
}

#[tokio::test]
async fn the_timeout_of_tower_http_is_a_timeout() {
    let slow = || std::future::pending::<&str>();
    for (status, marked, outcome) in
        [(408, false, "timeout"), (504, false, "timeout"), (503, true, "timeout"), (503, false, "complete")]
    {
        let observed = Observed::new();
        let status = StatusCode::from_u16(status).unwrap();
        let mark = move |mut response: axum::response::Response| {
            if marked {
                response.extensions_mut().insert(redpane::TimedOut);
            }
            response
        };
        let layers = ServiceBuilder::new()
            .map_response(mark)
            .layer(TimeoutLayer::with_status_code(status, Duration::from_millis(1)));
        let address = observed.serve(Router::new().route("/", get(slow)).layer(layers)).await;
        assert_eq!(client::get(address, "/").await.status, status);
        assert_eq!(observed.only_request().await.str("outcome"), outcome);
    }
}

#[test]
fn a_callback_that_others_spawn_keeps_the_ids() {
    let observed = Observed::new();
    observed.run(async {
        let handler = |context: RequestContext, _: AxumRequest| async move {
            // As axum's `on_upgrade` does: the future is spawned elsewhere, where no request is current.
            let callback = move || {
                let scope = context.clone();
                scope.scope(async { tracing::info!("connected") })
            };
            std::thread::spawn(move || {
                tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(callback())
            })
            .join()
            .unwrap();
        };
        client::get(observed.serve(Router::new().route("/", get(handler))).await, "/").await;
        let line = observed.only_request().await;
        assert_eq!(line.str("outcome"), "complete");
    });
    drop(Log::default());
}

#[tokio::test]
async fn a_request_without_a_body_in_its_answer_needs_no_server() {
    let observed = Observed::new();
    let app = observed.telemetry.clone().instrument(Router::new().route("/", get(|| async { StatusCode::NO_CONTENT })));
    let response = app.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), 204);
    assert_eq!(observed.only_request().await.str("outcome"), "complete");
}
