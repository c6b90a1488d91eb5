//! Calls whose clients stream: their answer may come after hours.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use http::{Request, Response, header};
use http_body_util::{BodyExt, StreamBody};
use redpane::Redpane;
use test_support::{Line, Observed, Samples, Scripted};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tower::{Layer, ServiceExt, service_fn};

use super::{ONE, called, declared, grpc, handled, seconds, taken, trailers};

/// A call whose client streams for a while, and what has ended it.
struct ClientStream {
    observed: Observed,
    samples: Samples,
    line: Line,
}

/// Three messages come within 300 ms and more; then the method answers so.
async fn client_stream<B>(
    observed: Observed,
    method: &str,
    body: impl FnOnce(ReceiverStream<Result<Bytes, Infallible>>) -> B,
    answer: fn() -> Response<Body>,
) -> ClientStream
where
    B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
    B::Error: std::fmt::Debug,
{
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let service = observed.telemetry.layer().layer(service_fn(move |request: Request<B>| async move {
        request.into_body().collect().await.unwrap();
        Ok::<_, Infallible>(answer())
    }));
    let request = Request::post(format!("/shop.Orders/{method}")).header(header::CONTENT_TYPE, "application/grpc");
    let call = service.oneshot(request.body(body(ReceiverStream::new(receiver))).unwrap());
    let call = tokio::spawn(async move { call.await.unwrap().into_body().collect().await.unwrap() });
    for _ in 0..3 {
        sender.send(Ok(Bytes::from_static(b"\0\0\0\0\x01a"))).await.unwrap();
        tokio::time::sleep(Duration::from_millis(110)).await;
    }
    let samples = observed.samples();
    drop(sender);
    call.await.unwrap();
    let line = observed.only_request().await;
    ClientStream { observed, samples, line }
}

fn refused() -> Response<Body> {
    let mut answer = grpc(Body::empty());
    answer.headers_mut().extend(trailers("8"));
    answer
}

/// The answer comes when the client has sent all: a client of six hours must be no duration of six hours.
#[tokio::test]
async fn a_client_that_streams_makes_a_stream_and_no_long_request() {
    let not_declared = |redpane: Redpane| redpane;
    for (options, answer, code) in [
        (declared as fn(Redpane) -> Redpane, taken as fn() -> Response<Body>, "OK"),
        (declared, refused, "ResourceExhausted"),
        // Nobody has said what it is, and its request is seen to have more than one message.
        (not_declared, taken, "OK"),
    ] {
        let observed = Observed::with(options);
        let ClientStream { observed, samples, line } =
            client_stream(observed, "Upload", Body::from_stream, answer).await;
        let stream = observed.messages("stream", 1).await.remove(0);
        assert_eq!((stream.str("grpc_code"), line.get("grpc_code")), (code, None), "{}", stream.text);
        assert!(seconds(&line) < 0.2 && seconds(&stream) >= 0.33, "{} {}", line.text, stream.text);
        assert_eq!((line.str("route"), line.str("level")), ("/shop.Orders/Upload", "INFO"));
        assert_eq!(stream["trace_id"], line["trace_id"]);
        // Before its answer only the declaration tells.
        let before = samples.sum("http_streams_in_flight", &[("route", "/shop.Orders/Upload")]);
        assert_eq!(before, f64::from(samples.of("grpc_server_handled_total", &[]).count() > 0));
        let samples = observed.samples();
        assert_eq!(handled(&samples, "/shop.Orders/Upload", code), 1.0);
        assert_eq!(samples.sum("http_streams_total", &[("outcome", "complete")]), 1.0);
        assert_eq!(samples.sum("http_streams_in_flight", &[]), 0.0);
        assert_eq!(samples.sum("http_request_duration_seconds_bucket", &[("status", "200"), ("le", "0.25")]), 1.0);
        assert!(samples.sum("http_stream_duration_seconds_sum", &[]) >= 0.33);
    }
}

/// The layer cannot see what the method takes of a body that is not axum's.
#[tokio::test]
async fn a_declared_client_stream_whose_messages_nobody_sees_is_no_long_request_either() {
    let body = |receiver: ReceiverStream<Result<Bytes, Infallible>>| {
        StreamBody::new(receiver.map(|bytes| bytes.map(http_body::Frame::data)))
    };
    let called = client_stream(Observed::with(declared), "Chat", body, taken).await;
    let stream = called.observed.messages("stream", 1).await.remove(0);
    assert!(seconds(&called.line) == 0.0 && seconds(&stream) >= 0.33, "{} {}", called.line.text, stream.text);
}

#[tokio::test]
async fn a_client_that_leaves_its_stream_has_cancelled_it() {
    for (options, route) in
        [(declared as fn(Redpane) -> Redpane, "/shop.Orders/Chat"), (|redpane| redpane, "unmatched")]
    {
        let observed = Observed::with(options);
        let service = observed.telemetry.layer().layer(service_fn(|request: Request<Body>| async move {
            request.into_body().collect().await.unwrap();
            std::future::pending::<Result<Response<Body>, Infallible>>().await
        }));
        let body = Scripted::body([ONE, ONE, ONE]);
        let request = Request::post("/shop.Orders/Chat").header(header::CONTENT_TYPE, "application/grpc");
        let call = service.oneshot(request.body(body).unwrap());
        tokio::time::timeout(Duration::from_millis(300), call).await.unwrap_err();
        let line = observed.only_request().await;
        assert_eq!((line.str("route"), &line["status"], line.get("grpc_code")), (route, &499.into(), None));
        if route == "unmatched" {
            assert_eq!(observed.samples().sum("http_streams_total", &[]), 0.0, "nobody knows what was called");
            continue;
        }
        let stream = observed.messages("stream", 1).await.remove(0);
        let said = [stream.str("outcome"), stream.str("grpc_code"), stream.str("level")];
        assert_eq!(said, ["aborted", "Canceled", "INFO"], "{}", stream.text);
        assert_eq!(handled(&observed.samples(), route, "Canceled"), 1.0);
        assert_eq!(observed.samples().sum("http_streams_in_flight", &[]), 0.0);
    }
}

#[tokio::test]
async fn a_grpc_stream_may_be_a_request_to_its_end() {
    let observed =
        Observed::with(|redpane| declared(redpane).observe_until_end(["/shop.Orders/Two", "/shop.Orders/Upload"]));
    called(&observed, "Two", None).await;
    let line = observed.only_request().await;
    assert_eq!((line.str("grpc_code"), &line["response_bytes"]), ("OK", &12.into()));
    assert_eq!(observed.samples().sum("http_streams_total", &[]), 0.0);
    let observed = Observed::with(|redpane| declared(redpane).observe_until_end(["/shop.Orders/Upload"]));
    let called = client_stream(observed, "Upload", Body::from_stream, taken).await;
    assert!(seconds(&called.line) >= 0.33, "{}", called.line.text);
    assert_eq!(called.observed.samples().sum("http_streams_total", &[]), 0.0);
}
