//! Lines, exemplars and headers with the ids of an SDK that the application runs.

mod fallback;
mod outside;
mod sdk;
mod spans;

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;

use axum::Router;
use axum::body::{Body, to_bytes};
use http::{HeaderMap, Request, StatusCode};
use redpane::{ExpositionFormat, SpanId, TraceId, TraceParent};
use test_support::Observed;
use test_support::exposition::Exposition;
use tower::ServiceExt;

thread_local! {
    /// The current span of an SDK that these tests play.
    static SPAN: Cell<Option<TraceParent>> = const { Cell::new(None) };
}

fn current_span() -> Option<TraceParent> {
    SPAN.get()
}

fn span() -> TraceParent {
    TraceParent::new(TraceId::random(), SpanId::random(), true)
}

/// Another span of the same trace.
fn child(of: &TraceParent) -> TraceParent {
    TraceParent::new(of.trace_id, SpanId::random(), of.flags == 1)
}

fn enter<R>(span: TraceParent, work: impl FnOnce() -> R) -> R {
    let outer = SPAN.replace(Some(span));
    let done = work();
    SPAN.set(outer);
    done
}

/// Enters the span at each poll, as an SDK does.
async fn inside<F: Future>(span: TraceParent, work: F) -> F::Output {
    let mut work = pin!(work);
    poll_fn(|cx| enter(span, || work.as_mut().poll(cx))).await
}

/// Sends a request without a socket, and reads its answer to the end.
async fn ask(app: &Router, headers: &[(&'static str, &str)]) -> (StatusCode, HeaderMap, String) {
    let mut request = Request::get("/").body(Body::empty()).unwrap();
    for (name, value) in headers {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    let answer = app.clone().oneshot(request).await.unwrap();
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    (status, headers, String::from_utf8(body.into()).unwrap())
}

fn exemplars(observed: &Observed) -> Vec<String> {
    let format = ExpositionFormat::OpenMetrics;
    let exposition = Exposition::of(&observed.telemetry.render(format), format);
    let samples = exposition.families.iter().flat_map(|family| &family.samples);
    samples.filter_map(|sample| Some(sample.exemplar.as_ref()?.labels["trace_id"].clone())).collect()
}

fn parent(headers: &HeaderMap) -> TraceParent {
    TraceParent::from_header(headers["traceparent"].as_bytes()).unwrap()
}
