//! One server under load once: what it cost, and that it did its work.

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use crate::assembly::{Assembly, Lines, Spans};
use crate::load::Load;
use crate::scrape::{counted, value};
use crate::server::Server;
use crate::settings::Settings;

/// One measurement, as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sample {
    pub(crate) assembly: String,
    /// The round, from 0: samples of the same round were taken one after the other.
    pub(crate) round: u64,
    /// The requests that wrk saw answered.
    pub(crate) requests: u64,
    pub(crate) requests_per_second: f64,
    /// CPU time of the server's process in microseconds.
    pub(crate) cpu_per_request: f64,
    /// Latency in microseconds.
    pub(crate) p50: u64,
    pub(crate) p99: u64,
    pub(crate) resident_bytes: u64,
    /// The requests that the server's metrics count for the same time.
    pub(crate) counted: Option<u64>,
    /// The lines it wrote into the pipe in that time.
    pub(crate) lines: Option<u64>,
    /// The spans that its exporter got in that time.
    pub(crate) exported: Option<u64>,
}

/// Loads the server, after a warm-up.
///
/// # Errors
/// If anything went wrong with a request, or the server counted or wrote less than it answered.
pub(crate) fn measure(
    assembly: &Assembly,
    server: &Server,
    load: Load,
    round: u64,
    settings: &Settings,
) -> Result<Sample> {
    let count = || assembly.counter.map(|counter| counted(server, counter)).transpose();
    let exported = || assembly.spans.metric().map(|metric| value(server, metric)).transpose();
    load.run(server.address, settings.warm_up)?;
    server.settle()?;
    let (counted_before, exported_before) = (count()?, exported()?);
    let lines_before = server.settle()?;
    let cpu_before = server.cpu_times()?;

    let seen = load.run(server.address, settings.seconds)?;

    let lines_after = server.settle()?;
    let cpu = server.cpu_times()?.since(&cpu_before);
    let sample = Sample {
        assembly: assembly.id.into(),
        round,
        requests: seen.requests,
        requests_per_second: seen.requests as f64 / seen.duration().as_secs_f64(),
        cpu_per_request: cpu.as_secs_f64() * 1e6 / seen.requests as f64,
        p50: seen.p50,
        p99: seen.p99,
        resident_bytes: server.resident_bytes()?,
        lines: grown(lines_before, lines_after),
        counted: grown(counted_before, count()?),
        exported: grown(exported_before, exported()?),
    };
    verify(assembly, &sample, load.connections)?;
    let Sample { cpu_per_request, requests_per_second, .. } = sample;
    eprintln!("  {:<18} {cpu_per_request:>8.2} µs CPU a request  {requests_per_second:>9.0} requests/s", assembly.id);
    Ok(sample)
}

fn grown(before: Option<u64>, after: Option<u64>) -> Option<u64> {
    Some(after?.saturating_sub(before?))
}

/// When wrk ends it leaves a request on each connection, which the server may or may not have seen.
fn verify(assembly: &Assembly, sample: &Sample, connections: u64) -> Result<()> {
    let Sample { requests, counted, lines, exported, .. } = *sample;
    let expected = requests..=requests + connections;
    if let Some(counted) = counted {
        ensure!(
            expected.contains(&counted),
            "{} answered {requests} requests and counted {counted}: not the same work",
            assembly.id
        );
    }
    if let Spans::OneForEachCounted(_) = assembly.spans {
        ensure!(
            exported == counted,
            "{} counted {counted:?} requests and delivered {exported:?} spans: not the same work",
            assembly.id
        );
    }
    let Some(lines) = lines else { return Ok(()) };
    let right = match assembly.lines {
        Lines::None => lines == 0,
        Lines::One => expected.contains(&lines),
        Lines::OneForEachCounted => counted == Some(lines),
    };
    ensure!(
        right,
        "{} answered {requests} requests, counted {counted:?} and wrote {lines} lines: not the same work",
        assembly.id
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assembly::find;

    fn verdict(id: &str, counted: Option<u64>, lines: Option<u64>) -> bool {
        delivers(id, counted, lines, None)
    }

    fn delivers(id: &str, counted: Option<u64>, lines: Option<u64>, exported: Option<u64>) -> bool {
        let sample = Sample {
            assembly: id.into(),
            round: 0,
            requests: 1_000,
            requests_per_second: 1_000.0,
            cpu_per_request: 10.0,
            p50: 1,
            p99: 2,
            resident_bytes: 1,
            counted,
            lines,
            exported,
        };
        verify(find(id).unwrap(), &sample, 32).is_ok()
    }

    #[test]
    fn a_counter_may_be_ahead_by_the_connections_and_never_behind() {
        assert!(verdict("axum-prometheus", Some(1_000), None));
        assert!(verdict("axum-prometheus", Some(1_032), None));
        assert!(!verdict("axum-prometheus", Some(999), None));
        assert!(!verdict("axum-prometheus", Some(1_033), None));
    }

    #[test]
    fn redpane_writes_what_it_counts_exactly() {
        assert!(verdict("redpane", Some(1_010), Some(1_010)));
        assert!(!verdict("redpane", Some(1_010), Some(1_009)));
    }

    #[test]
    fn every_span_of_redpane_is_delivered_and_opentelemetrys_as_far_as_its_queue_holds() {
        assert!(delivers("redpane-spans", Some(1_010), Some(1_010), Some(1_010)));
        assert!(!delivers("redpane-spans", Some(1_010), Some(1_010), Some(1_009)));
        assert!(delivers("opentelemetry-otlp", Some(1_010), None, Some(500)));
    }

    #[test]
    fn others_write_a_line_for_each_answer_or_none() {
        assert!(verdict("usual", Some(1_000), Some(1_020)));
        assert!(!verdict("usual", Some(1_000), Some(990)));
        assert!(!verdict("bare", None, Some(1)));
    }
}
