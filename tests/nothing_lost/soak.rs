//! The soak: the mix, stalls of the log and scrapes, for as long as one likes. Run by hand; docs/nothing-lost.md says how.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use test_support::{Samples, eventually};

use crate::account::Sum;
use crate::client::Trust;
use crate::mix::Without;
use crate::service::Service;
use crate::{seed, setting};

const ROUND: Duration = Duration::from_secs(6);
const CLIENTS: usize = 64;
/// What the service may take beyond what it had after its first rounds: bodies, backtraces and log buffers come and go,
/// and an allocator gives nothing back at once.
const MEMORY_SLACK: f64 = 24.0 * 1024.0 * 1024.0;
const WARM_UP_ROUNDS: usize = 3;

/// What one round showed.
struct Round {
    memory: f64,
    sum: Sum,
}

fn memory(samples: &Samples) -> f64 {
    samples.value("process_resident_memory_bytes", &[])
}

/// Waits until the service has no descriptor more than at its start.
async fn descriptors_are(service: &mut Service, wanted: f64) {
    eventually("every connection is closed", async || {
        (service.scrape().await.value("process_open_fds", &[]) == wanted).then_some(())
    })
    .await;
}

/// One round of load, with a stall of the log in it if `stall` says so; ends with an account that is right.
async fn round(service: &mut Service, seed: u64, stall: Option<Duration>) -> Round {
    let start = Instant::now();
    let load = service.load(seed, CLIENTS, usize::MAX, Without::default(), Trust::Answers);
    let mut memory_at_most: f64 = 0.0;
    if stall.is_some() {
        service.process.stop_reading();
    }
    while start.elapsed() < ROUND {
        tokio::time::sleep(Duration::from_millis(250)).await;
        if stall.is_some_and(|stall| start.elapsed() > stall) {
            service.process.read_on();
        }
        memory_at_most = memory_at_most.max(memory(&service.scrape().await));
        service.read();
    }
    load.stop().await;
    Round { memory: memory_at_most, sum: service.settle().await }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "ten minutes: run it in release, cargo test --release --test nothing_lost -- --ignored --nocapture"]
#[allow(clippy::print_stdout, reason = "its result goes to docs/nothing-lost.md")]
async fn soak() {
    let (seed, seconds) = (seed(), setting("REDPANE_TEST_SOAK_SECONDS").unwrap_or(600));
    let mut random = SmallRng::seed_from_u64(seed);
    let mut service = Service::start(&[("REDPANE_LOG_BUFFER_BYTES", "256KiB")]).await;
    let descriptors = service.scrape().await.value("process_open_fds", &[]);
    let start = Instant::now();
    let (mut rounds, mut stalled) = (Vec::<Round>::new(), Duration::ZERO);
    while start.elapsed() < Duration::from_secs(seconds) {
        let stall = random.random_bool(0.4).then(|| Duration::from_millis(random.random_range(500..4000)));
        let own_seed = seed.wrapping_add(1 + rounds.len() as u64);
        rounds.push(round(&mut service, own_seed, stall).await);
        stalled += stall.unwrap_or_default();
        descriptors_are(&mut service, descriptors).await;
    }
    let most = |rounds: &[Round]| rounds.iter().map(|round| round.memory).fold(0.0, f64::max);
    let early = most(&rounds[..WARM_UP_ROUNDS.min(rounds.len())]);
    let (all, last) = (most(&rounds), rounds.last().unwrap());
    assert!(all < early + MEMORY_SLACK, "resident memory grew from {early} to {all} bytes");

    let Sum { counted, lines, lost, uncertain, .. } = last.sum;
    let mib = |bytes: f64| format!("{:.1} MiB", bytes / 1024.0 / 1024.0);
    let mut table = String::from("| | |\n|---|---|\n");
    for (what, value) in [
        ("build", if cfg!(debug_assertions) { "debug" } else { "release" }.to_owned()),
        ("duration", format!("{} s, {} rounds", start.elapsed().as_secs(), rounds.len())),
        ("seed", seed.to_string()),
        ("requests counted", counted.to_string()),
        ("of these, fate unknown to the client", format!("at most {uncertain}")),
        ("lines written", lines.to_string()),
        ("lines lost to stalls, counted and announced", lost.to_string()),
        ("log stalled", format!("{:.1} s in all", stalled.as_secs_f64())),
        ("requests without sample, samples without request", "0, 0".to_owned()),
        ("lines unaccounted for", "0".to_owned()),
        (
            "resident memory",
            format!(
                "{} in the first {WARM_UP_ROUNDS} rounds, {} at most, {} in the last",
                mib(early),
                mib(all),
                mib(last.memory)
            ),
        ),
        ("descriptors after each round", format!("{descriptors}, as at the start")),
    ] {
        writeln!(table, "| {what} | {value} |").unwrap();
    }
    println!("\n{table}");
    service.end().await;
}
