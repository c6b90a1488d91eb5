//! redpane's cost as something grows, what a scrape costs, and how long a start takes.

use serde::Serialize;

use super::comparison::{added, kept_percent, of, pairs};
use crate::assembly::{BARE, BEFORE, REDPANE, find};
use crate::dimensions::{Dimension, Measured, Point, Scrapes};
use crate::measure::Sample;
use crate::start_up::StartUp;
use crate::statistics::{Summary, number};

#[derive(Serialize)]
pub(super) struct View {
    points: Vec<PointRow>,
    /// Whether the rows have an older redpane.
    before: bool,
    scrapes: Vec<ScrapeRow>,
    start_up: Vec<StartUpRow>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct PointRow {
    dimension: String,
    bare: String,
    redpane: String,
    added: String,
    kept: String,
    /// An older redpane against bare, where one was measured.
    before_added: String,
    before_kept: String,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct ScrapeRow {
    series: String,
    kind: &'static str,
    kilobytes: String,
    milliseconds: String,
    cpu_milliseconds: String,
}

#[derive(Serialize)]
struct StartUpRow {
    title: &'static str,
    milliseconds: String,
}

pub(super) fn view(measured: &Measured) -> View {
    View {
        before: measured.points.iter().any(|point| of(BEFORE, &point.samples).next().is_some()),
        points: measured.points.iter().filter_map(point).collect(),
        scrapes: measured.scrapes.iter().filter_map(scrape).collect(),
        start_up: measured.start_up.iter().filter_map(start_up).collect(),
    }
}

fn point(point: &Point) -> Option<PointRow> {
    let name = match point.dimension {
        Dimension::Series => "series",
        Dimension::Routes => "routes",
        Dimension::Connections if point.value == 1 => "connection",
        Dimension::Connections => "connections",
    };
    let cpu = |id| Some(Summary::of(of(id, &point.samples).map(|sample| sample.cpu_per_request))?.text(2));
    let against_bare = |id, value: fn(&Sample, &Sample) -> f64, decimals| {
        let values = pairs(id, BARE, &point.samples).map(|(sample, bare)| value(sample, bare));
        Some(Summary::of(values)?.text(decimals))
    };
    Some(PointRow {
        dimension: format!("{} {name}", number(point.value as f64, 0)),
        bare: cpu(BARE)?,
        redpane: cpu(REDPANE)?,
        added: against_bare(REDPANE, added, 2)?,
        kept: against_bare(REDPANE, kept_percent, 1)?,
        before_added: against_bare(BEFORE, added, 2).unwrap_or_default(),
        before_kept: against_bare(BEFORE, kept_percent, 1).unwrap_or_default(),
    })
}

fn scrape(scrapes: &Scrapes) -> Option<ScrapeRow> {
    Some(ScrapeRow {
        series: number(scrapes.series as f64, 0),
        kind: if scrapes.compressed { "gzip" } else { "plain" },
        kilobytes: number(scrapes.bytes as f64 / 1e3, 1),
        milliseconds: Summary::of(scrapes.milliseconds.iter().copied())?.text(2),
        cpu_milliseconds: number(scrapes.cpu_milliseconds, 2),
    })
}

fn start_up(start_up: &StartUp) -> Option<StartUpRow> {
    Some(StartUpRow {
        title: find(&start_up.assembly)?.title,
        milliseconds: Summary::of(start_up.milliseconds.iter().copied())?.text(1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::comparison::tests::sample;

    #[test]
    fn a_point_compares_within_its_rounds() {
        let samples = vec![sample("bare", 0, 10.0, 100.0), sample("redpane", 0, 11.25, 95.0)];
        let row = point(&Point { dimension: Dimension::Series, value: 10_000, samples }).unwrap();
        assert_eq!(row.dimension, "10,000 series");
        assert_eq!((row.bare.as_str(), row.added.as_str()), ("10.00 (10.00 – 10.00)", "1.25 (1.25 – 1.25)"));
        assert_eq!(row.kept, "95.0 (95.0 – 95.0)");
        assert_eq!((row.before_added.as_str(), row.before_kept.as_str()), ("", ""));
    }

    #[test]
    fn an_older_redpane_stands_beside_the_newer_one() {
        let samples = [("bare", 10.0, 100.0), ("redpane", 11.25, 95.0), ("redpane-before", 12.0, 90.0)];
        let samples = samples.map(|(id, cpu, throughput)| sample(id, 0, cpu, throughput)).to_vec();
        let row = point(&Point { dimension: Dimension::Series, value: 10, samples }).unwrap();
        assert_eq!((row.added.as_str(), row.before_added.as_str()), ("1.25 (1.25 – 1.25)", "2.00 (2.00 – 2.00)"));
        assert_eq!(row.before_kept, "90.0 (90.0 – 90.0)");
    }

    #[test]
    fn a_scrape_says_its_size_and_time() {
        let scrapes = Scrapes {
            series: 1_000,
            compressed: true,
            bytes: 12_345,
            milliseconds: vec![3.0, 1.0, 2.0],
            cpu_milliseconds: 0.756,
        };
        let row = scrape(&scrapes).unwrap();
        assert_eq!((row.series.as_str(), row.kind, row.kilobytes.as_str()), ("1,000", "gzip", "12.3"));
        assert_eq!((row.milliseconds.as_str(), row.cpu_milliseconds.as_str()), ("2.00 (1.50 – 2.50)", "0.76"));
    }
}
