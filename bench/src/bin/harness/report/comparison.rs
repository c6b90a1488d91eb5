//! The assemblies side by side.

use serde::Serialize;

use crate::assembly::{ASSEMBLIES, Assembly, BARE};
use crate::compare::Series;
use crate::environment::Environment;
use crate::measure::Sample;
use crate::results::Kept;
use crate::server::Stdout;
use crate::statistics::{Summary, number};

#[derive(Serialize)]
pub(super) struct View {
    series: Vec<Table>,
    /// Of those that make spans.
    exported: Vec<Exported>,
    assemblies: Vec<Description>,
}

#[derive(Serialize)]
struct Table {
    title: &'static str,
    rows: Vec<Row>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Exported {
    title: &'static str,
    /// Per cent of the requests whose span reached the exporter, or was delivered by it.
    share: String,
}

/// Texts, as they stand in the table.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Row {
    title: &'static str,
    cpu: String,
    added: String,
    throughput: String,
    kept: String,
    p50: String,
    p99: String,
    resident: String,
}

#[derive(Serialize)]
struct Description {
    title: &'static str,
    packages: String,
    does: &'static str,
    lacks: &'static str,
}

pub(super) fn view(kept: &Kept<Vec<Series>>) -> View {
    let table = |series: &Series| Table {
        title: match series.stdout {
            Stdout::Null => "Standard output to `/dev/null`",
            Stdout::Pipe => "Standard output to a pipe that is read",
        },
        rows: ASSEMBLIES.iter().filter_map(|assembly| row(assembly, &series.samples)).collect(),
    };
    let took_part =
        |assembly: &&Assembly| kept.measured.iter().any(|series| of(assembly.id, &series.samples).next().is_some());
    let measured = ASSEMBLIES.iter().filter(took_part);
    View {
        series: kept.measured.iter().map(table).collect(),
        exported: ASSEMBLIES.iter().filter_map(|assembly| exported(assembly, &kept.measured)).collect(),
        assemblies: measured.map(|assembly| describe(assembly, &kept.environment)).collect(),
    }
}

/// `None` if the assembly did not take part, or makes no spans.
fn exported(assembly: &Assembly, series: &[Series]) -> Option<Exported> {
    let samples = series.iter().flat_map(|series| of(assembly.id, &series.samples));
    let shares = samples.filter_map(|sample| Some(100.0 * sample.exported? as f64 / sample.requests as f64));
    Some(Exported { title: assembly.title, share: Summary::of(shares)?.text(0) })
}

fn describe(assembly: &Assembly, environment: &Environment) -> Description {
    let Assembly { title, does, lacks, packages, .. } = *assembly;
    Description { title, packages: environment.packages(packages), does, lacks }
}

/// `None` if the assembly did not take part.
fn row(assembly: &Assembly, samples: &[Sample]) -> Option<Row> {
    let column = |value: fn(&Sample) -> f64| Summary::of(of(assembly.id, samples).map(value));
    let against_bare = |value: fn(&Sample, &Sample) -> f64| match assembly.id {
        BARE => None,
        id => Summary::of(pairs(id, BARE, samples).map(|(sample, bare)| value(sample, bare))),
    };
    let spread =
        |summary: Option<Summary>, decimals| summary.map_or_else(String::new, |summary| summary.text(decimals));
    Some(Row {
        title: assembly.title,
        cpu: column(|sample| sample.cpu_per_request)?.text(2),
        added: spread(against_bare(added), 2),
        throughput: column(|sample| sample.requests_per_second)?.text(0),
        kept: spread(against_bare(kept_percent), 1),
        p50: number(column(|sample| sample.p50 as f64)?.median, 0),
        p99: number(column(|sample| sample.p99 as f64)?.median, 0),
        resident: number(column(|sample| sample.resident_bytes as f64)?.median / f64::from(1 << 20), 1),
    })
}

pub(super) fn of<'a>(id: &str, samples: &'a [Sample]) -> impl Iterator<Item = &'a Sample> {
    samples.iter().filter(move |sample| sample.assembly == id)
}

/// Each sample of the assembly with that of `base` in the same round.
pub(super) fn pairs<'a>(
    id: &str,
    base: &'static str,
    samples: &'a [Sample],
) -> impl Iterator<Item = (&'a Sample, &'a Sample)> {
    of(id, samples).filter_map(move |sample| Some((sample, of(base, samples).find(|base| base.round == sample.round)?)))
}

/// CPU time a request in microseconds, more than that of `base`.
pub(super) fn added(sample: &Sample, base: &Sample) -> f64 {
    sample.cpu_per_request - base.cpu_per_request
}

/// Throughput in per cent of bare axum's.
pub(super) fn kept_percent(sample: &Sample, bare: &Sample) -> f64 {
    100.0 * sample.requests_per_second / bare.requests_per_second
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::assembly::find;

    pub(in super::super) fn sample(
        assembly: &str,
        round: u64,
        cpu_per_request: f64,
        requests_per_second: f64,
    ) -> Sample {
        Sample {
            assembly: assembly.into(),
            round,
            requests: 1_000,
            requests_per_second,
            cpu_per_request,
            p50: 300,
            p99: 1_200,
            resident_bytes: 5 << 20,
            counted: None,
            lines: None,
            exported: None,
        }
    }

    #[test]
    fn differences_are_within_a_round() {
        // The machine is half as fast in round 1; in each round redpane adds 1 µs and keeps 90 %.
        let samples = [
            sample("bare", 0, 10.0, 100_000.0),
            sample("redpane", 0, 11.0, 90_000.0),
            sample("redpane", 1, 21.0, 45_000.0),
            sample("bare", 1, 20.0, 50_000.0),
        ];
        let row = row(find("redpane").unwrap(), &samples).unwrap();
        assert_eq!(row.added, "1.00 (1.00 – 1.00)");
        assert_eq!(row.kept, "90.0 (90.0 – 90.0)");
        assert_eq!(row.cpu, "16.00 (13.50 – 18.50)");
        assert_eq!(row.throughput, "67,500 (56,250 – 78,750)");
        assert_eq!((row.p50.as_str(), row.p99.as_str(), row.resident.as_str()), ("300", "1,200", "5.0"));
    }

    #[test]
    fn spans_are_a_share_of_the_requests() {
        let spans = |exported| Sample { exported, ..sample("opentelemetry", 0, 30.0, 20_000.0) };
        let share = |samples: Vec<Sample>| {
            let series = [Series { stdout: Stdout::Null, samples }];
            Some(exported(find("opentelemetry").unwrap(), &series)?.share)
        };
        assert_eq!(share(vec![spans(Some(250)), spans(None)]).as_deref(), Some("25 (25 – 25)"));
        assert_eq!(share(vec![spans(None)]), None);
    }

    #[test]
    fn bare_is_not_compared_with_itself_and_absence_is_no_row() {
        let samples = [sample("bare", 0, 10.0, 100_000.0)];
        assert_eq!(row(find("bare").unwrap(), &samples).unwrap().added, "");
        assert_eq!(row(find("redpane").unwrap(), &samples), None);
    }
}
