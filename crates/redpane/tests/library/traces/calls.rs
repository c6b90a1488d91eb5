//! CLIENT spans: calls through the outgoing layer.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Request, Response};
use test_support::otlp::{Receiver, SpanKind};
use tower::{ServiceBuilder, ServiceExt, service_fn};

use super::{exported, flush, observed, text};

/// The next service got the CLIENT span as its parent, and that is a child of the SERVER span.
#[tokio::test]
async fn a_call_is_a_span_between_the_two_services() {
    let receiver = Receiver::start().await;
    let observed = observed(&receiver, |otlp| otlp);
    let layer = observed.telemetry.outgoing_layer("orders");
    let next = service_fn(|request: Request<Body>| async move {
        let parent = request.headers()["traceparent"].clone();
        Ok::<_, Infallible>(Response::builder().header("got", parent).body(Body::empty()).unwrap())
    });
    let client = ServiceBuilder::new().layer(layer).service(next);
    let handler = move || async move {
        let request = Request::get("http://ada:secret@orders:8000/checkout?token=secret").body(Body::empty()).unwrap();
        let answer = client.oneshot(request).await.unwrap();
        answer.headers()["got"].to_str().unwrap().to_owned()
    };
    let app = observed.telemetry.clone().instrument(Router::new().route("/", get(handler)));
    let answer = app.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
    let got = axum::body::to_bytes(answer.into_body(), 100).await.unwrap();
    flush(&observed).await;
    let spans = receiver.spans();
    assert_eq!((spans.len(), exported(&observed)), (2, 2), "{spans:?}");
    let of = |kind| spans.iter().find(|span| span.kind == kind as i32).expect("it is there");
    let (server, client) = (of(SpanKind::Server), of(SpanKind::Client));
    assert_eq!((&client.parent_span_id, &client.trace_id), (&server.span_id, &server.trace_id));
    let sent: String = client.span_id.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(std::str::from_utf8(&got).unwrap().split('-').nth(2), Some(&*sent));
    assert_eq!(text(client, "url.full"), "http://orders:8000/checkout");
    assert_eq!((text(client, "server.address"), text(client, "http.request.method")), ("orders".into(), "GET".into()));
}
