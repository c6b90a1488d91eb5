//! Resident memory over many requests, scraped like Prometheus does and not at all.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::assembly::{AXUM_PROMETHEUS, REDPANE, find};
use crate::load::Load;
use crate::results;
use crate::server::{Server, Stdout};
use crate::settings::Settings;

/// A server's memory after so many requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Point {
    pub(crate) requests: u64,
    pub(crate) resident_bytes: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(crate) assembly: String,
    pub(crate) scraped: bool,
    /// From the first answer on; one point for each slice of the load.
    pub(crate) points: Vec<Point>,
}

pub(crate) const PART: &str = "memory";

/// As often as prometheus.yml of this project asks.
pub(crate) const SECONDS_BETWEEN_SCRAPES: u64 = 5;

pub(crate) fn run(settings: &Settings) -> Result<()> {
    let mut runs = Vec::new();
    for id in [REDPANE, AXUM_PROMETHEUS] {
        for scraped in [true, false] {
            runs.push(measure(id, scraped, settings)?);
        }
    }
    results::keep(PART, settings, runs)
}

fn measure(id: &str, scraped: bool, settings: &Settings) -> Result<Run> {
    let assembly = find(id).with_context(|| format!("{id} is no assembly"))?;
    let server = Server::start(assembly, Stdout::Null, 0)?;
    let load = Load { connections: settings.connections, routes: 0 };
    // A quick try is shorter than one slice.
    let seconds = SECONDS_BETWEEN_SCRAPES.min(settings.seconds);
    let mut points = vec![Point { requests: 0, resident_bytes: server.resident_bytes()? }];
    let mut requests = 0;
    while requests < settings.requests {
        requests += load.run(server.address, seconds)?.requests;
        if scraped {
            server.get("/metrics")?;
        }
        let resident_bytes = server.resident_bytes()?;
        let scrapes = if scraped { "with" } else { "without" };
        eprintln!("memory of {id} {scrapes} scrapes: {} KiB after {requests} requests", resident_bytes / 1024);
        points.push(Point { requests, resident_bytes });
    }
    Ok(Run { assembly: id.into(), scraped, points })
}
