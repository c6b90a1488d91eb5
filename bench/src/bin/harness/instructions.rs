//! Instructions and allocations a request, in-process, as valgrind counts them: repeatable where times are not.

use std::env;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::assembly::{BARE, BEFORE, REDPANE, USUAL};
use crate::results;
use crate::settings::Settings;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Counted {
    pub(crate) assembly: String,
    /// By callgrind.
    #[serde(flatten)]
    pub(crate) instructions: Totals,
    /// By DHAT. Results of earlier versions of this program have none.
    pub(crate) allocations: Option<Totals>,
}

/// The same program for two numbers of requests: the difference has no start-up in it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Totals {
    pub(crate) fewer: Total,
    pub(crate) more: Total,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Total {
    pub(crate) requests: u64,
    #[serde(alias = "instructions")]
    pub(crate) total: u64,
}

pub(crate) const PART: &str = "instructions";

/// The program that has a variant for each option.
pub(crate) const PROGRAM_OF_OPTIONS: &str = "in-process-options";

/// A tool of valgrind, and how it says what it has counted.
pub(crate) struct Tool {
    name: &'static str,
    /// What keeps it from writing a profile, and what it counts.
    options: &'static [&'static str],
    parse: fn(&str) -> Option<u64>,
    fewer: u64,
    more: u64,
}

const INSTRUCTIONS: Tool = Tool {
    name: "callgrind",
    options: &["--callgrind-out-file=/dev/null"],
    parse: instructions,
    fewer: 5_000,
    // So many, because start-up differs by some million instructions from run to run: the crate quanta, which comes with
    // the Prometheus exporter, calibrates its clock for as long as it takes.
    more: 105_000,
};

/// The instructions of the thread that serves alone: what the others take is decided by when they wake up, and that moves more
/// than an option costs.
pub(crate) const OF_REQUESTS: Tool = Tool {
    name: "callgrind",
    options: &["--callgrind-out-file=/dev/null", "--toggle-collect=*drive::drive*"],
    parse: instructions,
    fewer: 2_000,
    more: 42_000,
};

const ALLOCATIONS: Tool =
    Tool { name: "dhat", options: &["--dhat-out-file=/dev/null"], parse: allocations, fewer: 1_000, more: 11_000 };

impl Totals {
    pub(crate) fn per_request(&self) -> f64 {
        let requests = self.more.requests.saturating_sub(self.fewer.requests);
        self.more.total.saturating_sub(self.fewer.total) as f64 / requests as f64
    }
}

pub(crate) fn run(settings: &Settings) -> Result<()> {
    if is_missing() {
        return Ok(());
    }
    let mut programs = vec![(BARE, "in-process", "bare"), (REDPANE, "in-process", "redpane")];
    if settings.before.is_some() {
        programs.push((BEFORE, "in-process-before", "redpane"));
    }
    programs.push((USUAL, "in-process", "usual"));
    let mut all = Vec::new();
    for (assembly, program, argument) in programs {
        let instructions = INSTRUCTIONS.count(program, argument)?;
        let allocations = ALLOCATIONS.count(program, argument)?;
        let a_request = [&instructions, &allocations].map(Totals::per_request);
        eprintln!("{assembly}: {:.0} instructions, {:.2} allocations a request", a_request[0], a_request[1]);
        all.push(Counted { assembly: assembly.into(), instructions, allocations: Some(allocations) });
    }
    results::keep(PART, settings, all)
}

/// Whether valgrind is, which is said then.
pub(crate) fn is_missing() -> bool {
    let missing = Command::new("valgrind").arg("--version").output().is_err();
    if missing {
        eprintln!("skipped, valgrind is missing; install it (Debian and Ubuntu: apt-get install valgrind)");
    }
    missing
}

impl Tool {
    pub(crate) fn count(&self, program: &str, assembly: &str) -> Result<Totals> {
        let total = |requests| self.total(program, assembly, requests);
        Ok(Totals { fewer: total(self.fewer)?, more: total(self.more)? })
    }

    fn total(&self, program: &str, assembly: &str, requests: u64) -> Result<Total> {
        let name = self.name;
        let output = Command::new("valgrind")
            .arg(format!("--tool={name}"))
            .args(self.options)
            .arg(env::current_exe()?.with_file_name(program))
            .args([assembly, &requests.to_string()])
            .output()?;
        let text = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{program} {assembly} failed in valgrind: {text}");
        let total = (self.parse)(&text).with_context(|| format!("{name} did not say what it counted, but: {text}"))?;
        Ok(Total { requests, total })
    }
}

/// `==7== Collected : 123456789`
fn instructions(output: &str) -> Option<u64> {
    let line = output.lines().rfind(|line| line.contains("Collected"))?;
    line.rsplit_once(':')?.1.trim().parse().ok()
}

/// `==7== Total:     1,024 bytes in 16 blocks`
fn allocations(output: &str) -> Option<u64> {
    let line = output.lines().rfind(|line| line.contains("Total:"))?;
    let blocks = line.rsplit_once(" in ")?.1.split_whitespace().next()?;
    blocks.replace(',', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callgrind_says_what_it_collected() {
        let output = "==7== Callgrind, a call-graph\n==7== Events    : Ir\n==7== Collected : 123456789\n==7==\n";
        assert_eq!(instructions(output), Some(123_456_789));
        assert_eq!(instructions("==7== Events    : Ir\n"), None);
    }

    #[test]
    fn dhat_says_how_many_blocks_there_were() {
        let output =
            "==7== \n==7== Total:     1,234,567 bytes in 12,345 blocks\n==7== At t-gmax: 5 bytes in 1 blocks\n";
        assert_eq!(allocations(output), Some(12_345));
        assert_eq!(allocations("==7== At t-end:  0 bytes in 0 blocks\n"), None);
    }

    #[test]
    fn start_up_is_not_in_the_difference() {
        let total = |requests, total| Total { requests, total };
        assert_eq!(Totals { fewer: total(100, 51_000), more: total(300, 151_000) }.per_request(), 500.0);
    }

    #[test]
    fn results_without_allocations_are_read() {
        let earlier = r#"{"assembly": "bare", "fewer": {"requests": 1, "instructions": 20}, "more": {"requests": 3, "instructions": 40}}"#;
        let counted: Counted = serde_json::from_str(earlier).unwrap();
        assert_eq!(counted.instructions.per_request(), 10.0);
        assert!(counted.allocations.is_none());
    }
}
