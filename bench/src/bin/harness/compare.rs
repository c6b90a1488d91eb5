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

pub(crate) fn run(settings: &Settings) -> Result<()> {
    let series = [Stdout::Null, Stdout::Pipe].map(|stdout| measure_series(stdout, settings));
    let series = series.into_iter().collect::<Result<Vec<Series>>>()?;
    results::keep(PART, settings, series)
}

fn measure_series(stdout: Stdout, settings: &Settings) -> Result<Series> {
    // What writes nothing is the same in both.
    let takes_part =
        |assembly: &&Assembly| stdout == Stdout::Null || assembly.lines != Lines::None || assembly.id == BARE;
    let servers =
        available(settings).filter(takes_part).map(|assembly| Ok((assembly, Server::start(assembly, stdout, 0)?)));
    let servers = servers.collect::<Result<Vec<_>>>()?;
    let load = Load { connections: settings.connections, routes: 0 };
    let mut samples = Vec::new();
    for round in 0..settings.rounds {
        eprintln!("compare, stdout to {stdout:?}: round {} of {}", round + 1, settings.rounds);
        for turn in 0..servers.len() {
            // Another one begins each round, so that none always starts on cores which the same other one has warmed.
            let (assembly, server) = &servers[(turn + round as usize) % servers.len()];
            samples.push(measure(assembly, server, load, round, settings)?);
        }
    }
    Ok(Series { stdout, samples })
}
