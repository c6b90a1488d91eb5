//! The service's own server beside `axum::serve`: the same application, router and telemetry.

use anyhow::{Context, Result, ensure};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::assembly::{BARE, CLIENTS, REDPANE, SERVICE};
use crate::compare::{measure_series, start};
use crate::results;
use crate::server::Stdout;
use crate::settings::Settings;

pub(crate) const PART: &str = "server";
/// Few, so that many rounds take little time: what is looked for is smaller than what one round differs from the next.
pub(crate) const TAKE_PART: [&str; 4] = [BARE, REDPANE, CLIENTS, SERVICE];

/// On a machine with two cores, servers and load each have one for themselves: where they share both, it is decided anew in each
/// round how often threads sleep, and that moves the times more than what is looked for.
pub(crate) fn run(settings: &Settings) -> Result<()> {
    let all = sched_getaffinity(None)?;
    let cores: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|core| all.is_set(*core)).take(2).collect();
    ensure!(cores.len() == 2, "two cores are needed, one for the servers and one for the load; there is one");
    // What is started inherits it.
    pin(cores[0])?;
    let servers = start(Stdout::Null, |assembly| TAKE_PART.contains(&assembly.id), settings)?;
    pin(cores[1])?;
    let series = measure_series(Stdout::Null, &servers, settings);
    sched_setaffinity(None, &all).context("the cores cannot be given back")?;
    results::keep(PART, settings, series?)
}

/// This thread, and what it starts.
fn pin(core: usize) -> Result<()> {
    let mut one = CpuSet::new();
    one.set(core);
    sched_setaffinity(None, &one).with_context(|| format!("core {core} cannot be had alone"))
}
