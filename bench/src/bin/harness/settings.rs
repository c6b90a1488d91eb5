//! What can be chosen on the command line, or with environment variables.

use std::path::PathBuf;

use clap::{Args, Parser, ValueEnum};
use serde::{Deserialize, Serialize};

/// Measures the cost of being observed; writes results/*.json, ../docs/benchmarks.md and ../docs/images/benchmarks.svg.
#[derive(Debug, Parser)]
#[command(name = "bench/run", bin_name = "bench/run")]
pub(crate) struct Command {
    /// What to measure; the document is rendered afterwards.
    #[arg(value_enum, default_value = "all")]
    pub(crate) part: Part,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// All of the following.
    All,
    /// Every assembly of crates against bare axum.
    Compare,
    /// The service's own server against `axum::serve`.
    Server,
    /// redpane against bare axum by series, routes and connections; scrapes; start-up.
    Dimensions,
    /// Resident memory over many requests, with and without scrapes.
    Memory,
    /// Instructions a request, counted by callgrind.
    Instructions,
    /// Instructions that each option of redpane adds, counted in the same way.
    Options,
    /// Only the document, from the results that are there.
    Report,
}

/// Kept with the results.
#[derive(Debug, Clone, PartialEq, Eq, Args, Serialize, Deserialize)]
#[cfg_attr(test, derive(Default))]
pub(crate) struct Settings {
    /// Seconds that a server is measured in each round.
    #[arg(long, env = "BENCH_SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seconds: u64,
    /// Seconds that a server is loaded before it is measured.
    #[arg(long, env = "BENCH_WARM_UP", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) warm_up: u64,
    /// Rounds, in each of which every server has its turn.
    #[arg(long, env = "BENCH_ROUNDS", default_value_t = 9, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) rounds: u64,
    /// Connections that wrk keeps busy.
    #[arg(long, env = "BENCH_CONNECTIONS", default_value_t = 32, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) connections: u64,
    /// Requests of each run of `memory`.
    #[arg(long, env = "BENCH_REQUESTS", default_value_t = 10_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) requests: u64,
    /// An older checkout of redpane, measured beside this one in compare, dimensions and instructions.
    #[arg(long, env = "BENCH_BEFORE", value_name = "PATH")]
    // Its version and commit are kept, not where it lies.
    #[serde(skip)]
    pub(crate) before: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn command_line_is_consistent() {
        Command::command().debug_assert();
    }

    #[test]
    fn without_a_part_everything_is_measured() {
        assert_eq!(Command::try_parse_from(["bench/run"]).unwrap().part, Part::All);
        assert_eq!(Command::try_parse_from(["bench/run", "memory"]).unwrap().part, Part::Memory);
    }

    #[test]
    fn no_rounds_are_refused() {
        let error = Command::try_parse_from(["bench/run", "--rounds", "0"]).unwrap_err().to_string();
        assert!(error.contains("--rounds"), "{error}");
    }
}
