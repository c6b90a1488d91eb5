//! SIGKILL, which no process can prepare for: what is lost is bounded by the log buffer, and told here.

use std::time::{Duration, Instant};

use test_support::eventually;

use crate::client::Trust;
use crate::mix::Without;
use crate::seed;
use crate::service::Service;

/// What the tail of the output may be: a line that was not written to its end.
fn assert_one_torn_line_at_most(service: &Service) {
    let rest = service.process.output();
    assert!(!rest.contains('\n') && rest.len() < 64 * 1024, "more than one torn line: {rest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[allow(clippy::print_stderr, reason = "a measurement for the documentation")]
async fn with_a_reader_that_keeps_up_only_the_last_moment_is_lost() {
    let seed = seed();
    let mut service = Service::start(&[]).await;
    let without = Without { certainty: true, ..Without::default() };
    let load = service.load(seed, 8, usize::MAX, without, Trust::MayBreakOff);
    let noise = service.noise(8, Trust::MayBreakOff);
    eventually("the log flows", async || {
        service.read();
        (service.account.logged() > 500).then_some(())
    })
    .await;
    let killed = Instant::now();
    service.process.kill();
    load.stop().await;
    noise.stop().await;
    service.read();
    assert_one_torn_line_at_most(&service);
    let missing: Vec<_> = service.account.missing().collect();
    let oldest = missing.iter().map(|seen| killed.saturating_duration_since(seen.at)).max().unwrap_or_default();
    let (lines, lost) = (service.account.logged(), missing.len());
    eprintln!(
        "SIGKILL, log read: {lost} of {} answered requests without a line, answered in the last {oldest:?}",
        lines + lost as u64
    );
    assert!(lines > 100, "{lines} lines");
    // The writer lingers for 5 ms; the rest is what a machine under load may keep it waiting.
    assert!(oldest < Duration::from_secs(2), "lost, though answered {oldest:?} before the end: {missing:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[allow(clippy::print_stderr, reason = "a measurement for the documentation")]
async fn with_a_reader_that_stalls_no_more_is_lost_than_the_buffer_holds() {
    const BUFFER_BYTES: usize = 256 * 1024;
    let mut service = Service::start(&[("REDPANE_LOG_BUFFER_BYTES", "256KiB")]).await;
    service.process.stop_reading();
    let noise = service.noise(4, Trust::Answers);
    eventually("the buffer is full", async || {
        (service.scrape().await.sum("log_lines_dropped_total", &[]) > 10.0).then_some(())
    })
    .await;
    noise.stop().await;
    let samples = service.scrape().await;
    let of_noise = |name: &str| samples.sum(name, &[("route", "/hello/{name}")]) as u64;
    let answered = of_noise("http_requests_total");
    let dropped = samples.sum("log_lines_dropped_total", &[]) as u64;
    service.process.kill();
    let lines = service.process.lines();
    let shortest = lines.iter().filter(|line| line.is_access()).map(|line| line.text.len() + 1).min().unwrap();
    service.read();
    assert_one_torn_line_at_most(&service);
    let lost = answered - dropped - service.account.logged();
    assert_eq!(service.account.missing().count() as u64, lost + dropped, "of those that clients saw answered");
    let bytes = lost * shortest as u64;
    eprintln!(
        "SIGKILL, log stalled: {answered} answered, {dropped} dropped and counted before, {lost} lost in the buffer: {bytes} bytes of {BUFFER_BYTES}"
    );
    assert!(lost > 0 && bytes <= BUFFER_BYTES as u64 + shortest as u64, "{bytes} bytes were lost");
}
