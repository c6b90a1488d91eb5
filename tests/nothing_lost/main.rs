//! A binary that CI runs a second time, in release and with a larger mix. Nothing lost: clients send the real service a
//! seeded mix of every kind of request and end them in every way there is, and what they saw is compared with the metrics
//! and with the log, exactly.
//!
//! `REDPANE_TEST_SEED` repeats a run that failed (each failure prints its seed), `REDPANE_TEST_REQUESTS` sizes the mix,
//! and `REDPANE_TEST_SOAK_SECONDS` is how long the soak lasts (`-- --ignored`; docs/nothing-lost.md).
#![cfg(unix)]
// Helpers are no `#[test]` functions, which is all that clippy.toml can make an exception for.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod account;
mod client;
mod connections;
mod descriptors;
mod killed;
mod load;
mod mix;
mod sampled;
mod seen;
mod service;
mod shutdown;
mod soak;
mod spans;
mod stalled;
mod watched;

use std::process::Command;

use test_support::process;

/// The real service, on a free port unless the test says otherwise.
fn redpane(arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    process::service(env!("CARGO_BIN_EXE_redpane"), arguments, variables)
}

/// A number from the environment.
///
/// # Panics
/// If there is something else.
fn setting(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|error| panic!("{variable} must be a whole number, not {value:?}: {error}")))
}

/// The seed of this run, printed so that a failure shows it.
#[allow(clippy::print_stderr, reason = "the harness shows it where the test fails")]
fn seed() -> u64 {
    let seed = setting("REDPANE_TEST_SEED").unwrap_or_else(|| u64::from(rand::random::<u32>()));
    eprintln!("the seed is {seed}: REDPANE_TEST_SEED={seed} repeats this mix");
    seed
}

/// How many deeds of the mix a test does in all.
fn deeds() -> usize {
    usize::try_from(setting("REDPANE_TEST_REQUESTS").unwrap_or(1200)).unwrap()
}
