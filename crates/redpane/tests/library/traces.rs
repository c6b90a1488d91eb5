//! Spans of requests reach the receiver, once, or are counted as dropped.

mod calls;
mod children;
mod endings;
mod ends;
mod internal;
mod reports;
mod spans;
#[cfg(feature = "otlp-tls")]
mod tls;

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Request, StatusCode};
use redpane::{Otlp, Redpane};
use test_support::Observed;
use test_support::otlp::{KeyValue, Receiver, Span, Value};
use tower::ServiceExt;

/// Far more than a flush to a local receiver takes.
const LONG: Duration = Duration::from_secs(30);

/// A telemetry whose spans go to this receiver.
fn observed(receiver: &Receiver, change: impl FnOnce(Otlp) -> Otlp) -> Observed {
    let otlp = change(Otlp::new(receiver.endpoint()));
    Observed::by(Redpane::new("test").otlp(otlp))
}

fn router() -> Router {
    Router::new()
        .route("/hello/{name}", get(|| async { "hello" }))
        .route("/fails", get(|| async { StatusCode::INTERNAL_SERVER_ERROR }))
        .route("/healthz", get(|| async { "well" }))
}

/// Sends a request without a socket, and reads its answer to the end.
async fn ask(observed: &Observed, request: Request<Body>) -> StatusCode {
    let app = observed.telemetry.clone().instrument(router());
    let answer = app.oneshot(request).await.unwrap();
    let status = answer.status();
    let _ = axum::body::to_bytes(answer.into_body(), 1 << 20).await;
    status
}

async fn ask_for(observed: &Observed, path: &str) -> StatusCode {
    ask(observed, Request::get(path).body(Body::empty()).unwrap()).await
}

/// Flushes on a blocking thread: the receiver runs on this one.
async fn flush(observed: &Observed) {
    let telemetry = observed.telemetry.clone();
    tokio::task::spawn_blocking(move || telemetry.flush(LONG).unwrap()).await.unwrap();
}

fn exported(observed: &Observed) -> u64 {
    observed.samples().sum("trace_spans_exported_total", &[]) as u64
}

fn dropped(observed: &Observed, reason: &str) -> u64 {
    observed.samples().sum("trace_spans_dropped_total", &[("reason", reason)]) as u64
}

fn attribute<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a Value> {
    let found: Vec<_> = attributes.iter().filter(|attribute| attribute.key == key).collect();
    assert!(found.len() <= 1, "{key} is there once: {found:?}");
    found.first().map(|found| found.value.as_ref().unwrap().value.as_ref().unwrap())
}

fn text(span: &Span, key: &str) -> String {
    match attribute(&span.attributes, key) {
        Some(Value::StringValue(text)) => text.clone(),
        other => panic!("{key} is {other:?}"),
    }
}
