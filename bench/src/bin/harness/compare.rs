//! Every assembly against bare axum, in rounds that give each its turn.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::assembly::{Assembly, BARE, Lines, available};
use crate::load::Load;
use crate::measure::{Sample, measure};
use crate::results;
use crate::server::{Server, Stdout};
use crate::settings::Settings;

/// All rounds with standard output going to the same kind of place.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Series {
    pub(crate) stdout: Stdout,
    pub(crate) samples: Vec<Sample>,
}

pub(crate) const PART: &str = "compare";

/// A server, and what runs in it.
type Running = (&'static Assembly, Server);

pub(crate) fn run(settings: &Settings) -> Result<()> {
    let series = [Stdout::Null, Stdout::Pipe].map(|stdout| {
        // What writes nothing is the same in both.
        let takes_part =
            |assembly: &Assembly| stdout == Stdout::Null || assembly.lines != Lines::None || assembly.id == BARE;
        measure_series(stdout, &start(stdout, takes_part, settings)?, settings)
    });
    let series = series.into_iter().collect::<Result<Vec<Series>>>()?;
    results::keep(PART, settings, series)
}

pub(crate) fn start(
    stdout: Stdout,
    takes_part: impl Fn(&Assembly) -> bool,
    settings: &Settings,
) -> Result<Vec<Running>> {
    let assemblies = available(settings).filter(|assembly| takes_part(assembly));
    assemblies.map(|assembly| Ok((assembly, Server::start(assembly, stdout, 0)?))).collect()
}

/// Rounds in which each server has its turn.
pub(crate) fn measure_series(stdout: Stdout, servers: &[Running], settings: &Settings) -> Result<Series> {
    let load = Load { connections: settings.connections, routes: 0 };
    let mut samples = Vec::new();
    for round in 0..settings.rounds {
        eprintln!("stdout to {stdout:?}: round {} of {}", round + 1, settings.rounds);
        for turn in 0..servers.len() {
            // Another one begins each round, so that none always starts on cores which the same other one has warmed.
            let (assembly, server) = &servers[(turn + round as usize) % servers.len()];
            samples.push(measure(assembly, server, load, round, settings)?);
        }
    }
    Ok(Series { stdout, samples })
}
