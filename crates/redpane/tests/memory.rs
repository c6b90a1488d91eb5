//! A binary of its own, since its allocator counts for all of the process, where nothing else may run: what observing a
//! request costs in heap allocations, and that nothing of it stays. One test, and one for CI that takes longer.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::alloc::System;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::routing::{RouterIntoService, get};
use http::{Request, Uri};
use redpane::{ExpositionFormat, Redpane, Telemetry};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tower::Service;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The most that observing may add to a request.
const ALLOCATIONS_A_REQUEST: f64 = 6.0;
/// What may come and go between two measurements: the two log buffers of 64 KiB each, and their growth.
const SLACK_BYTES: i64 = 128 * 1024;

fn live_bytes() -> i64 {
    let stats = ALLOCATOR.stats();
    // Blocks that grow or shrink are in both already.
    stats.bytes_allocated as i64 - stats.bytes_deallocated as i64
}

fn telemetry() -> Telemetry {
    Redpane::new("test").log_writer(std::io::sink()).log_buffer_bytes(64 * 1024).build().unwrap()
}

fn hello() -> Router {
    Router::new().route("/hello/{name}", get(|| async { "hello" }))
}

/// A handler that counts for itself too: the metrics that elsewhere queue up until somebody scrapes.
fn counting() -> Router {
    let handler = || async {
        metrics::counter!("jobs_total").increment(1);
        metrics::histogram!("job_seconds").record(0.1);
        "hello"
    };
    Router::new().route("/hello/{name}", get(handler))
}

/// The service that a connection gets. Without `with_state` axum builds handler and layer anew for every request.
fn finished(router: Router) -> RouterIntoService<Body> {
    router.with_state::<()>(()).into_service()
}

/// A request whose answer is there at the first poll, without a runtime: nothing but the service allocates.
fn serve(service: &mut RouterIntoService<Body>, request: Request<Body>) {
    let mut cx = Context::from_waker(Waker::noop());
    let Poll::Ready(Ok(response)) = pin!(service.call(request)).poll(&mut cx) else { panic!("no answer at once") };
    let mut body = pin!(response.into_body());
    while let Poll::Ready(Some(frame)) = body.as_mut().poll_frame(&mut cx) {
        frame.unwrap();
    }
    assert!(body.is_end_stream());
}

fn request(headers: &[(&'static str, &'static str)]) -> Request<Body> {
    // Shared bytes, as a server has them: copying such a path or header costs no allocation.
    let mut request = Request::get(Uri::from_static("/hello/you")).body(Body::empty()).unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, http::HeaderValue::from_static(value));
    }
    request
}

/// Allocations a request, in the best of several rounds: what else the process does can only add.
fn allocations(router: Router, headers: &[(&'static str, &'static str)]) -> f64 {
    const REQUESTS: usize = 1000;
    let mut service = finished(router);
    (0..REQUESTS).for_each(|_| serve(&mut service, request(headers)));
    let round = |_| {
        let before = ALLOCATOR.stats();
        (0..REQUESTS).for_each(|_| serve(&mut service, request(headers)));
        let after = ALLOCATOR.stats();
        after.allocations + after.reallocations - before.allocations - before.reallocations
    };
    let best = (0..8).map(round).min().unwrap();
    best as f64 / REQUESTS as f64
}

fn a_request_costs_few_allocations() {
    const FROM_A_CALLER: [(&str, &str); 5] = [
        ("host", "localhost"),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        ("tracestate", "vendor=1"),
        ("x-request-id", "7f3c"),
        ("user-agent", "curl/8.0"),
    ];
    for (what, headers) in
        [("a plain request", &[("host", "localhost")][..]), ("a request with all headers", &FROM_A_CALLER[..])]
    {
        let bare = allocations(hello(), headers);
        let instrumented = allocations(telemetry().instrument(hello()), headers);
        let added = instrumented - bare;
        eprintln!("{what}: {bare:.2} allocations bare, {instrumented:.2} instrumented, {added:.2} added");
        // The writer's thread is in the count too, and takes memory once in a thousand requests.
        assert!(added <= ALLOCATIONS_A_REQUEST + 0.01, "{what}: {added} allocations added");
    }
}

fn memory_does_not_grow_with_requests(requests: usize) {
    let telemetry = telemetry();
    let mut service = finished(telemetry.clone().instrument(counting()));
    let mut batch = |requests: usize| {
        (0..requests).for_each(|_| serve(&mut service, request(&[])));
        telemetry.flush(Duration::from_secs(60)).unwrap();
        live_bytes()
    };
    let before = batch(20_000);
    let grown = batch(requests) - before;
    eprintln!("{requests} requests without a scrape: {grown} bytes more");
    assert!(grown < SLACK_BYTES, "{grown} bytes more after {requests} requests");
    let scraped = telemetry.render(ExpositionFormat::Text);
    assert!(scraped.contains(&format!("job_seconds_count {}\n", requests + 20_000)), "{scraped}");
}

fn route_names_past_the_series_limit_are_not_kept() {
    const ROUTERS: usize = 1000;
    let telemetry =
        Redpane::new("test").log_writer(std::io::sink()).log_buffer_bytes(64 * 1024).series_limit(4).build().unwrap();
    let long = "x".repeat(1000);
    let use_once = |number: usize| {
        let path = format!("/{long}{number}");
        let router = Router::new().route(&path, get(|| async { "hello" }));
        let request = Request::get(&path).body(Body::empty()).unwrap();
        serve(&mut finished(telemetry.clone().instrument(router)), request);
    };
    (0..100).for_each(use_once);
    telemetry.flush(Duration::from_secs(60)).unwrap();
    let before = live_bytes();
    (100..100 + ROUTERS).for_each(use_once);
    telemetry.flush(Duration::from_secs(60)).unwrap();
    let grown = live_bytes() - before;
    eprintln!("{ROUTERS} routes past the limit: {grown} bytes more");
    assert!(grown < SLACK_BYTES, "{grown} bytes more after {ROUTERS} routes past the limit, each with a name of 1 kB");
}

#[test]
fn observing_a_request_leaves_nothing_behind() {
    a_request_costs_few_allocations();
    route_names_past_the_series_limit_are_not_kept();
    memory_does_not_grow_with_requests(200_000);
}

#[test]
#[ignore = "5 million requests: run it in release, cargo test --release --test memory -- --ignored"]
fn nor_do_five_million() {
    memory_does_not_grow_with_requests(5_000_000);
}
