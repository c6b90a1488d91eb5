//! The reader of the log stalls, for seconds.

use std::time::{Duration, Instant};

use test_support::eventually;

use crate::client::Trust;
use crate::mix::Without;
use crate::seed;
use crate::service::{Load, Service};

const SMALL_BUFFER: (&str, &str) = ("REDPANE_LOG_BUFFER_BYTES", "64KiB");
const BLOCK: (&str, &str) = ("REDPANE_LOG_WHEN_FULL", "block");
/// Waiting for the log counts as the time of a request.
const PATIENT: (&str, &str) = ("REDPANE_REQUEST_TIMEOUT", "20s");
/// And as time in which a connection says nothing: where both threads wait, one line after the other, for more than ten seconds.
const UNHURRIED: (&str, &str) = ("REDPANE_HEADER_TIMEOUT", "1m");
const WITHOUT_TIMEOUTS: Without = Without { timeouts: true, certainty: false };

/// A service under the mix, and under noise that fills its log buffer in a moment.
async fn loaded(variables: &[(&str, &str)]) -> (Service, [Load; 2]) {
    let seed = seed();
    let service = Service::start(variables).await;
    let mix = service.load(seed, 8, usize::MAX, WITHOUT_TIMEOUTS, Trust::Answers);
    let noise = service.noise(4, Trust::Answers);
    (service, [mix, noise])
}

/// Stops the load and checks the account, the lost lines included; gives their number.
async fn settled(mut service: Service, load: [Load; 2]) -> u64 {
    for load in load {
        load.stop().await;
    }
    let sum = service.settle().await;
    service.end().await;
    sum.lost
}

/// Waits until a scrape tells of at least this many lost lines.
async fn lost(service: &mut Service, reason: &str, lines: f64) {
    eventually("lines are lost", async || {
        let lost = service.scrape().await.value("log_lines_dropped_total", &[("reason", reason)]);
        (lost >= lines).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropping_answers_everything_and_tells_what_was_lost() {
    let (mut service, load) = loaded(&[SMALL_BUFFER, PATIENT]).await;
    service.process.stop_reading();
    lost(&mut service, "buffer_full", 1.0).await;
    service.hear();
    let mut answers = 0;
    eventually("there are answers while nobody reads the log", async || {
        answers += service.hear();
        (answers > 100).then_some(())
    })
    .await;
    lost(&mut service, "buffer_full", 101.0).await;
    service.process.read_on();
    service.process.line("log lines were lost").await;
    assert!(settled(service, load).await > 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocking_loses_nothing_to_stalls_shorter_than_its_deadline() {
    let (mut service, load) = loaded(&[SMALL_BUFFER, BLOCK, PATIENT, UNHURRIED]).await;
    let (mut stalled, mut longest, mut waits) = (Duration::ZERO, Duration::ZERO, 0);
    while stalled < Duration::from_secs(2) {
        let start = Instant::now();
        service.process.stop_reading();
        // Everybody waits for room soon after.
        let mut silent = 0;
        while silent < 3 && start.elapsed() < Duration::from_millis(500) {
            tokio::time::sleep(Duration::from_millis(40)).await;
            silent = if service.hear() == 0 { silent + 1 } else { 0 };
        }
        waits += usize::from(silent == 3);
        service.process.read_on();
        stalled += start.elapsed();
        longest = longest.max(start.elapsed());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(waits > 2, "the log held up nobody: {waits} of the stalls did");
    let lost = settled(service, load).await;
    // A machine that keeps this test from its turn for that long makes a stall of its own.
    assert!(lost == 0 || longest > Duration::from_millis(700), "{lost} lines, the longest stall took {longest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocking_tells_what_a_longer_stall_took() {
    let (mut service, load) = loaded(&[SMALL_BUFFER, BLOCK, PATIENT, UNHURRIED]).await;
    service.process.stop_reading();
    lost(&mut service, "deadline_passed", 2.0).await;
    service.process.read_on();
    assert!(settled(service, load).await >= 2);
}
