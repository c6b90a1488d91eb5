//! Instructions and memory.

use serde::Serialize;

use crate::assembly::{BARE, find};
use crate::instructions::Counted;
use crate::memory::{Point, Run};
use crate::statistics::number;

#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct InstructionsRow {
    title: &'static str,
    per_request: String,
    added: String,
}

pub(super) fn instructions(counted: &[Counted]) -> Vec<InstructionsRow> {
    let bare = counted.iter().find(|counted| counted.assembly == BARE).map(Counted::per_request);
    let row = |counted: &Counted| {
        let added = bare.filter(|_| counted.assembly != BARE).map(|bare| counted.per_request() - bare);
        Some(InstructionsRow {
            title: find(&counted.assembly)?.title,
            per_request: number(counted.per_request(), 0),
            added: added.map_or_else(String::new, |added| number(added, 0)),
        })
    };
    counted.iter().filter_map(row).collect()
}

/// Resident memory in MiB at the start, after these shares of the requests, and the largest seen.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct MemoryRow {
    title: &'static str,
    scrapes: &'static str,
    requests: String,
    start: String,
    tenth: String,
    quarter: String,
    half: String,
    end: String,
    most: String,
}

pub(super) fn memory(runs: &[Run]) -> Vec<MemoryRow> {
    runs.iter().filter_map(memory_row).collect()
}

fn memory_row(run: &Run) -> Option<MemoryRow> {
    let requests = run.points.last()?.requests;
    let mebibytes = |point: &Point| number(point.resident_bytes as f64 / f64::from(1 << 20), 1);
    let after = |share: f64| {
        let point = run.points.iter().find(|point| point.requests as f64 >= share * requests as f64);
        point.map_or_else(String::new, mebibytes)
    };
    Some(MemoryRow {
        title: find(&run.assembly)?.title,
        scrapes: if run.scraped { "scraped" } else { "not scraped" },
        requests: number(requests as f64, 0),
        start: after(0.0),
        tenth: after(0.1),
        quarter: after(0.25),
        half: after(0.5),
        end: after(1.0),
        most: run.points.iter().max_by_key(|point| point.resident_bytes).map(mebibytes)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_shown_at_shares_of_the_requests() {
        let points = [(0, 4), (120, 5), (500, 9), (1_000, 7)];
        let points = points.map(|(requests, mebibytes)| Point { requests, resident_bytes: mebibytes << 20 }).to_vec();
        let rows = memory(&[Run { assembly: "redpane".into(), scraped: false, points }]);
        let [row] = rows.as_slice() else { panic!("one run is one row: {rows:?}") };
        let shown = [&row.start, &row.tenth, &row.quarter, &row.half, &row.end, &row.most].map(String::as_str);
        assert_eq!(shown, ["4.0", "5.0", "9.0", "9.0", "7.0", "9.0"]);
        assert_eq!((row.title, row.scrapes, row.requests.as_str()), ("redpane", "not scraped", "1,000"));
    }
}
