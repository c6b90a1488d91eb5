//! redpane against bare axum by what may grow: label sets, routes, connections. And what a scrape and a start cost.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::assembly::{Assembly, BARE, BEFORE, REDPANE, available, find};
use crate::load::Load;
use crate::measure::{Sample, measure};
use crate::results;
use crate::scrape::value;
use crate::server::{Server, Stdout};
use crate::settings::Settings;
use crate::start_up::{self, StartUp};

/// What grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Dimension {
    /// Label sets of HTTP metrics, all of them in use.
    Series,
    /// Routes of the router, one of them in use.
    Routes,
    Connections,
}

/// All rounds at one value of a dimension: bare, redpane, and an older redpane where one was named.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Point {
    pub(crate) dimension: Dimension,
    pub(crate) value: u64,
    pub(crate) samples: Vec<Sample>,
}

/// One `GET /metrics` after the other.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Scrapes {
    pub(crate) series: u64,
    pub(crate) compressed: bool,
    pub(crate) bytes: u64,
    /// From the request to the end of the answer, each.
    pub(crate) milliseconds: Vec<f64>,
    /// CPU time of the server, on average.
    pub(crate) cpu_milliseconds: f64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Measured {
    pub(crate) points: Vec<Point>,
    pub(crate) scrapes: Vec<Scrapes>,
    pub(crate) start_up: Vec<StartUp>,
}

pub(crate) const PART: &str = "dimensions";

const SERIES: [u64; 3] = [10, 1_000, 10_000];
const ROUTES: [u64; 2] = [10, 1_000];
const CONNECTIONS: [u64; 3] = [1, 64, 1_024];
const SCRAPES: u32 = 21;

pub(crate) fn run(settings: &Settings) -> Result<()> {
    let mut points = Vec::new();
    let most = routes_in_use(SERIES[SERIES.len() - 1]);
    for series in SERIES {
        let load = Load { connections: settings.connections, routes: routes_in_use(series) };
        // The router is the same for each, so that it is not what makes the difference.
        points.push(point(Dimension::Series, series, most, load, settings)?);
    }
    for routes in ROUTES {
        let load = Load { connections: settings.connections, routes: 0 };
        points.push(point(Dimension::Routes, routes, routes as usize - 1, load, settings)?);
    }
    for connections in CONNECTIONS {
        points.push(point(Dimension::Connections, connections, 0, Load { connections, routes: 0 }, settings)?);
    }
    let scrapes = SERIES.map(scrape).into_iter().collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
    let start_up = start_up::measure(settings)?;
    results::keep(PART, settings, Measured { points, scrapes, start_up })
}

/// A route that was asked for has two label sets: the status it sent, and 500 at zero. `/hello/{name}` and `/metrics` have
/// been asked for as well.
fn routes_in_use(series: u64) -> usize {
    (series as usize - 4) / 2
}

fn point(dimension: Dimension, value: u64, routes: usize, load: Load, settings: &Settings) -> Result<Point> {
    let start = |assembly: &'static Assembly| -> Result<(&Assembly, Server)> {
        let server = Server::start(assembly, Stdout::Null, routes)?;
        ask_each(&server, load.routes)?;
        Ok((assembly, server))
    };
    let compared = available(settings).filter(|assembly| [BARE, REDPANE, BEFORE].contains(&assembly.id));
    let servers = compared.map(start).collect::<Result<Vec<_>>>()?;
    if dimension == Dimension::Series {
        let mut redpanes = servers.iter().filter(|(assembly, _)| assembly.id != BARE);
        redpanes.try_for_each(|(_, server)| check_series(server, value))?;
    }
    let mut samples = Vec::new();
    for round in 0..settings.rounds {
        eprintln!("dimensions, {dimension:?} = {value}: round {} of {}", round + 1, settings.rounds);
        for turn in 0..servers.len() {
            let (assembly, server) = &servers[(turn + round as usize) % servers.len()];
            samples.push(measure(assembly, server, load, round, settings)?);
        }
    }
    Ok(Point { dimension, value, samples })
}

fn ask_each(server: &Server, routes: usize) -> Result<()> {
    (0..routes).try_for_each(|number| server.get(&format!("/route-{number}/ada")).map(drop))
}

fn check_series(server: &Server, expected: u64) -> Result<()> {
    // The first scrape brings the series of `/metrics`.
    server.get("/metrics")?;
    let series = value(server, "redpane_series")?;
    ensure!(series == expected, "redpane has {series} series where {expected} are to be measured");
    Ok(())
}

fn scrape(series: u64) -> Result<[Scrapes; 2]> {
    eprintln!("dimensions: scrapes of {series} series");
    let routes = routes_in_use(series);
    let redpane = find(REDPANE).context("redpane is no assembly")?;
    let server = Server::start(redpane, Stdout::Null, routes)?;
    ask_each(&server, routes)?;
    check_series(&server, series)?;
    Ok([scrapes(&server, series, false)?, scrapes(&server, series, true)?])
}

fn scrapes(server: &Server, series: u64, compressed: bool) -> Result<Scrapes> {
    let mut bytes = 0;
    let mut milliseconds = Vec::new();
    server.settle()?;
    let before = server.cpu_times()?;
    for _ in 0..SCRAPES {
        let started = Instant::now();
        bytes = server.get_bytes("/metrics", if compressed { "gzip" } else { "identity" })?.len() as u64;
        milliseconds.push(started.elapsed().as_secs_f64() * 1e3);
    }
    let cpu = server.cpu_times()?.since(&before).as_secs_f64() * 1e3;
    Ok(Scrapes { series, compressed, bytes, milliseconds, cpu_milliseconds: cpu / f64::from(SCRAPES) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_make_the_series_asked_for() {
        for series in SERIES {
            assert_eq!(2 * routes_in_use(series) + 4, series as usize);
        }
    }
}
