//! Instructions, allocations and memory.

use serde::Serialize;

use crate::assembly::{BARE, find};
use crate::instructions::Counted;
use crate::memory::{Point, Run};
use crate::options::MEASURED;
use crate::statistics::number;

#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct InstructionsRow {
    title: &'static str,
    per_request: String,
    added: String,
    /// Empty where they were not counted, like the next.
    allocations: String,
    allocations_added: String,
}

pub(super) fn instructions(counted: &[Counted]) -> Vec<InstructionsRow> {
    let bare = counted.iter().find(|counted| counted.assembly == BARE);
    let row = |counted: &Counted| {
        let column = |value: fn(&Counted) -> Option<f64>, decimals| {
            let bare = bare.filter(|_| counted.assembly != BARE).and_then(value);
            let text = |value: Option<f64>| value.map_or_else(String::new, |value| number(value, decimals));
            let value = value(counted);
            (text(value), text(value.zip(bare).map(|(value, bare)| value - bare)))
        };
        let (per_request, added) = column(|counted| Some(counted.instructions.per_request()), 0);
        let (allocations, allocations_added) = column(|counted| Some(counted.allocations.as_ref()?.per_request()), 2);
        let title = find(&counted.assembly)?.title;
        Some(InstructionsRow { title, per_request, added, allocations, allocations_added })
    };
    counted.iter().filter_map(row).collect()
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct OptionRow {
    title: &'static str,
    /// Instructions that a request takes more; empty where there is nothing to tell.
    unused: String,
    used: String,
}

pub(super) fn options(counted: &[Counted]) -> Vec<OptionRow> {
    let find = |variant: &str| {
        let found = counted.iter().find(|counted| counted.assembly == variant);
        found.map(|counted| counted.instructions.per_request())
    };
    let text = |difference: Option<(&str, &str)>| {
        let both = difference.and_then(|(without, with)| find(without).zip(find(with)));
        both.map_or_else(String::new, |(without, with)| number(with - without, 0))
    };
    let row = |measured: &crate::options::Measured| OptionRow {
        title: measured.title,
        unused: text(measured.unused),
        used: text(measured.used),
    };
    MEASURED.iter().map(row).collect()
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
    use crate::instructions::{Total, Totals};

    #[test]
    fn allocations_stand_where_they_were_counted() {
        let totals = |a_request| Totals {
            fewer: Total { requests: 10, total: 500 },
            more: Total { requests: 20, total: 500 + 10 * a_request },
        };
        let counted = |id: &str, instructions, allocations: Option<u64>| Counted {
            assembly: id.into(),
            instructions: totals(instructions),
            allocations: allocations.map(totals),
        };
        let rows = instructions(&[counted("bare", 9_000, Some(13)), counted("redpane", 15_000, Some(19))]);
        let [bare, redpane] = rows.as_slice() else { panic!("two were counted: {rows:?}") };
        assert_eq!((bare.per_request.as_str(), bare.added.as_str()), ("9,000", ""));
        assert_eq!((redpane.added.as_str(), redpane.allocations_added.as_str()), ("6,000", "6.00"));
        let rows = instructions(&[counted("bare", 9_000, None)]);
        assert_eq!(rows.first().map(|row| row.allocations.as_str()), Some(""));
    }

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
