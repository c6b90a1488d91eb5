//! The cost of being observed, in-process: one request through a router, bare and instrumented, and the parts.
//!
//! `cargo bench --bench request`. Compare rows of one run only: machines differ, and so do hours on a shared one.

mod common;

use std::hint::black_box;

use axum::Router;
use divan::Bencher;
use redpane::{Redpane, SpanId, TraceId, TraceParent};
use tracing_subscriber::filter::{LevelFilter, Targets};

use common::{request, router, serve};

fn main() {
    divan::main();
}

fn measure(bencher: Bencher<'_, '_>, app: Router) {
    let mut app = app.with_state(());
    bencher.with_inputs(request).bench_local_values(|request| serve(&mut app, request));
}

#[divan::bench(sample_count = 200, sample_size = 500)]
fn request_bare(bencher: Bencher<'_, '_>) {
    measure(bencher, router());
}

#[divan::bench(sample_count = 200, sample_size = 500)]
fn request_instrumented(bencher: Bencher<'_, '_>) {
    measure(bencher, Redpane::new("bench").log_writer(std::io::sink()).instrument(router()));
}

/// With a span for every request, whose receiver takes no connections: encoding and handing over, until the buffer is full.
/// So the samples are few enough for all of them to find room.
#[cfg(feature = "otlp")]
#[divan::bench(sample_count = 60, sample_size = 500)]
fn request_instrumented_with_spans(bencher: Bencher<'_, '_>) {
    // Port 9 discards, and nobody listens there.
    let otlp = redpane::Otlp::new("http://127.0.0.1:9/v1/traces");
    measure(bencher, Redpane::new("bench").log_writer(std::io::sink()).otlp(otlp).instrument(router()));
}

/// Everything but the access line: the difference to the row above is what the line costs.
#[divan::bench(sample_count = 200, sample_size = 500)]
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
    TraceParent::from_header(black_box(b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"))
}

/// Label sets of method, route and status: each brings 14 buckets, a sum, a count and a counter.
#[divan::bench(args = [1_000, 10_000], sample_count = 20)]
fn render(bencher: Bencher<'_, '_>, label_sets: usize) {
    let mut redpane = Redpane::new("bench").log_writer(std::io::sink()).series_limit(label_sets);
    for route in 0..label_sets / 2 {
        redpane = redpane.preregister(http::Method::GET, format!("/route/{route}"));
    }
    let telemetry = redpane.build().expect("these options are good");
    bencher.bench_local(|| telemetry.render(redpane::ExpositionFormat::Text));
}
