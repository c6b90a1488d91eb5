//! The cost of being observed, in-process: one request through a router, bare and instrumented, and the parts.
//!
//! `cargo bench --bench request`. Compare rows of one run only: machines differ, and so do hours on a shared one.

use std::convert::Infallible;
use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use axum::body::{Body, HttpBody};
use axum::response::Response;
use axum::{Router, routing::get};
use divan::Bencher;
use http::Request;
use redpane::{Redpane, SpanId, TraceId, TraceParent};
use tower::Service;
use tracing_subscriber::filter::{LevelFilter, Targets};

fn main() {
    divan::main();
}

fn router() -> Router {
    Router::new().route("/hello/{name}", get(|| async { "hello, world" }))
}

/// A request as curl sends it through one proxy.
fn request() -> Request<Body> {
    Request::get("/hello/ada")
        .header("host", "localhost:8000")
        .header("user-agent", "curl/8.5.0")
        .header("accept", "*/*")
        .header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        .body(Body::empty())
        .expect("a valid request")
}

/// Runs what never waits. A runtime would be measured with it.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("nothing here waits"),
    }
}

fn serve(app: &mut Router, request: Request<Body>) {
    let response: Result<Response, Infallible> = ready(app.call(request));
    let Ok(response) = response;
    let mut body = response.into_body();
    while !body.is_end_stream() {
        let frame = ready(std::future::poll_fn(|cx| pin!(&mut body).poll_frame(cx)));
        black_box(frame.expect("not at its end").expect("a body that cannot fail"));
    }
}

fn measure(bencher: Bencher<'_, '_>, app: Router) {
    let mut app = app.with_state(());
    bencher.with_inputs(request).bench_local_values(|request| serve(&mut app, request));
}

#[divan::bench]
fn request_bare(bencher: Bencher<'_, '_>) {
    measure(bencher, router());
}

#[divan::bench]
fn request_instrumented(bencher: Bencher<'_, '_>) {
    measure(bencher, Redpane::new("bench").log_writer(std::io::sink()).instrument(router()));
}

/// Everything but the access line: the difference to the row above is what the line costs.
#[divan::bench]
fn request_instrumented_without_line(bencher: Bencher<'_, '_>) {
    let nothing = Targets::new().with_default(LevelFilter::OFF);
    measure(bencher, Redpane::new("bench").log_writer(std::io::sink()).log_filter(nothing).instrument(router()));
}

#[divan::bench]
fn part_ids_fresh() -> (TraceId, SpanId) {
    (TraceId::random(), SpanId::random())
}

#[divan::bench]
fn part_traceparent_parsed() -> Option<TraceParent> {
    TraceParent::parse(black_box(b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"))
}

/// Label sets of method, route and status: each brings 14 buckets, a sum, a count and a counter.
#[divan::bench(args = [1_000, 10_000], sample_count = 20)]
fn render(bencher: Bencher<'_, '_>, label_sets: usize) {
    let mut redpane = Redpane::new("bench").log_writer(std::io::sink()).series_limit(label_sets);
    for route in 0..label_sets / 2 {
        redpane = redpane.announce(http::Method::GET, format!("/route/{route}"));
    }
    let telemetry = redpane.build().expect("these options are good");
    bencher.bench_local(|| telemetry.render(redpane::ExpositionFormat::Text));
}
