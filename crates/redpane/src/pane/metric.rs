//! The history of one metric of `/metrics`, whatever its name: its [`columns`], and how a [`counter`], a [`gauge`] and a
//! [`histogram`] fill them.

mod columns;
mod counter;
mod gauge;
mod histogram;

pub(super) use self::columns::{Columns, LABEL_SETS, Labelled, Tick};
use self::counter::Counter;
use self::histogram::Histogram;
use super::input::{Family, Kind};
use super::timeline::Place;

/// See the module.
pub(super) struct Metric {
    pub(super) kind: Kind,
    pub(super) help: String,
    pub(super) unit: Option<&'static str>,
    pub(super) columns: Columns,
    /// How many label sets it has, with a column or without.
    pub(super) label_sets: usize,
    past: Past,
    /// The second in which it was read last.
    read: Option<u64>,
}

/// What has to be known of the snapshots before, beside the columns.
enum Past {
    Counter(Counter),
    Gauge,
    Histogram(Histogram),
}

impl Metric {
    /// Columns that a metric of this kind begins with; counters and gauges get more with their label sets.
    pub(super) fn columns_of(kind: Kind) -> usize {
        if kind == Kind::Histogram { histogram::COLUMNS } else { 1 }
    }

    pub(super) fn new(family: &Family) -> Self {
        let (past, columns) = match (Histogram::new(&family.series), family.kind) {
            (Some(histogram), _) => (Past::Histogram(histogram), Columns::new(Histogram::columns(), None)),
            (None, Kind::Counter) => {
                let has_past = family.name.starts_with("process_");
                (Past::Counter(Counter::new(has_past)), Columns::new(Vec::new(), Some("per_second")))
            }
            (None, _) => (Past::Gauge, Columns::new(Vec::new(), None)),
        };
        Self {
            kind: family.kind,
            help: family.help.chars().take(300).collect(),
            unit: family.unit,
            columns,
            label_sets: family.series.len(),
            past,
            read: None,
        }
    }

    /// Empties the slots that begin a new step.
    pub(super) fn clear(&mut self, place: &Place) {
        self.columns.clear(place);
        if let Past::Histogram(histogram) = &mut self.past {
            histogram.clear(place);
        }
    }

    /// Records what it has now, a family of the same kind. `free` columns may be taken of those that are left.
    pub(super) fn record(&mut self, family: &Family, mut tick: Tick, free: &mut usize) {
        if let Some(seconds) = self.read.and_then(|read| tick.second.checked_sub(read)).filter(|seconds| *seconds > 0) {
            tick.seconds = seconds as f64;
        }
        self.read = Some(tick.second);
        self.label_sets = family.series.len();
        match &mut self.past {
            Past::Counter(counter) => counter.record(&mut self.columns, &family.series, tick, free),
            Past::Gauge => gauge::record(&mut self.columns, &family.series, tick, free),
            Past::Histogram(histogram) => histogram.record(&mut self.columns, &family.series, tick),
        }
    }

    /// Where it was not read in this second it is as it was.
    pub(super) fn hold(&mut self, tick: Tick) {
        if self.read == Some(tick.second) {
            return;
        }
        match &self.past {
            Past::Counter(_) | Past::Gauge => {
                self.columns.list.iter_mut().for_each(|labelled| labelled.hold(&tick.place))
            }
            Past::Histogram(_) => Histogram::hold(&mut self.columns, &tick.place),
        }
    }

    /// Bytes of its columns and texts.
    pub(super) fn bytes(&self) -> usize {
        self.columns.bytes() + self.help.len()
    }

    /// The bounds of a histogram.
    pub(super) fn bounds(&self) -> Option<&[f64]> {
        match &self.past {
            Past::Histogram(histogram) => Some(histogram.bounds()),
            Past::Counter(_) | Past::Gauge => None,
        }
    }
}

#[cfg(test)]
mod tests;
