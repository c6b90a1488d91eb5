//! redpane's cost as something grows, what a scrape costs, and how long a start takes.

use serde::Serialize;

use super::comparison::{added, kept_percent, of, pairs};
use crate::assembly::{BARE, REDPANE, find};
use crate::dimensions::{Dimension, Measured, Point, Scrapes};
use crate::start_up::StartUp;
use crate::statistics::{Summary, number};

#[derive(Serialize)]
pub(super) struct View {
    points: Vec<PointRow>,
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
    let pairs = || pairs(REDPANE, &point.samples);
    Some(PointRow {
        dimension: format!("{} {name}", number(point.value as f64, 0)),
        bare: cpu(BARE)?,
        redpane: cpu(REDPANE)?,
        added: Summary::of(pairs().map(|(sample, bare)| added(sample, bare)))?.text(2),
        kept: Summary::of(pairs().map(|(sample, bare)| kept_percent(sample, bare)))?.text(1),
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
