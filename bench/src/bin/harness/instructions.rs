//! Instructions a request, in-process, as callgrind counts them: repeatable where times are not.

use std::env;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::assembly::{BARE, REDPANE, USUAL};
use crate::results;
use crate::settings::Settings;

/// The same program for two numbers of requests: the difference has no start-up in it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Counted {
    pub(crate) assembly: String,
    fewer: Total,
    more: Total,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Total {
    requests: u64,
    instructions: u64,
}

pub(crate) const PART: &str = "instructions";

const FEWER: u64 = 5_000;
/// So many, because start-up differs by some million instructions from run to run: the crate quanta, which comes with the
/// Prometheus exporter, calibrates its clock for as long as it takes.
const MORE: u64 = 105_000;

impl Counted {
    pub(crate) fn per_request(&self) -> f64 {
        let requests = self.more.requests.saturating_sub(self.fewer.requests);
        self.more.instructions.saturating_sub(self.fewer.instructions) as f64 / requests as f64
    }
}

pub(crate) fn run(settings: &Settings) -> Result<()> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        eprintln!(
            "instructions: skipped, valgrind is missing; install it (Debian and Ubuntu: apt-get install valgrind)"
        );
        return Ok(());
    }
    let mut all = Vec::new();
    for assembly in [BARE, REDPANE, USUAL] {
        let counted =
            Counted { assembly: assembly.into(), fewer: count(assembly, FEWER)?, more: count(assembly, MORE)? };
        eprintln!("instructions of {assembly}: {:.0} a request", counted.per_request());
        all.push(counted);
    }
    results::keep(PART, settings, all)
}

fn count(assembly: &str, requests: u64) -> Result<Total> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env::current_exe()?.with_file_name("in-process"))
        .args([assembly, &requests.to_string()])
        .output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "in-process {assembly} failed in valgrind: {text}");
    let instructions = parse(&text).with_context(|| format!("callgrind did not say what it collected, but: {text}"))?;
    Ok(Total { requests, instructions })
}

fn parse(output: &str) -> Option<u64> {
    let line = output.lines().rfind(|line| line.contains("Collected"))?;
    line.rsplit_once(':')?.1.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callgrind_says_what_it_collected() {
        let output = "==7== Callgrind, a call-graph\n==7== Events    : Ir\n==7== Collected : 123456789\n==7==\n";
        assert_eq!(parse(output), Some(123_456_789));
        assert_eq!(parse("==7== Events    : Ir\n"), None);
    }

    #[test]
    fn start_up_is_not_in_the_difference() {
        let total = |requests, instructions| Total { requests, instructions };
        let counted = Counted { assembly: BARE.into(), fewer: total(100, 51_000), more: total(300, 151_000) };
        assert_eq!(counted.per_request(), 500.0);
    }
}
