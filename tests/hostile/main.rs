//! A binary of its own, since its tests measure the memory of whole processes and run one after the other. Clients that mean
//! harm: they send what no HTTP library would, or more than they read, to the real service as a process. Each attack prints a
//! row for docs/nothing-lost.md (`-- --nocapture`).
#![cfg(target_os = "linux")]
// Helpers are no `#[test]` functions, which is all that clippy.toml can make an exception for.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod attackers;
mod container;
mod expected;
mod floods;
mod http2;
mod idle;
mod malformed;
mod pane;
mod probes;
mod service;
mod slow;
mod streams;
mod trial;
mod turns;
mod undelivered;
mod unread;
mod watch;

use std::process::Command;
use std::time::Duration;

use test_support::process;

/// What the service may hold for all clients together.
const CLIENT_MEMORY: u64 = 16 * 1024 * 1024;
/// What the gauge may say when no client but a scrape is left.
const HELD_AT_REST: f64 = 256.0 * 1024.0;
/// How long another client may have to wait for its answer. Far more than it takes: a machine may be busy with other tests.
const ANOTHER_CLIENT_WAITS: Duration = Duration::from_secs(5);
/// How long the service may take to be rid of clients that stay: some times its own deadlines.
const PATIENCE: Duration = Duration::from_secs(15);

/// The real service, on a free port unless the test says otherwise.
fn redpane(variables: &[(&str, &str)]) -> Command {
    process::service(env!("CARGO_BIN_EXE_redpane"), &[], variables)
}

/// How the service is set up for an attack: little memory, short deadlines.
const SETTINGS: [(&str, &str); 4] = [
    ("REDPANE_CLIENT_MEMORY", "16MiB"),
    ("REDPANE_LOG_BUFFER_BYTES", "4MiB"),
    ("REDPANE_REQUEST_TIMEOUT", "3s"),
    ("REDPANE_HEADER_TIMEOUT", "2s"),
];
