//! The history of one metric of `/metrics`, whatever its name.

use std::borrow::Cow;
use std::sync::Arc;

use super::column::Column;
use super::input::{Bounds, Family, Kind, Series, Value};
use super::quantile::{QUANTILES, quantile};
use super::timeline::{Place, STEPS};

/// Label sets of a counter or gauge that have a column of their own.
pub(super) const LABEL_SETS: usize = 8;
/// The column of a counter's other label sets, and that of a histogram's observations a second.
const OTHER: &str = "_other";
const RATE: &str = "rate";

/// A column and what it is called.
pub(super) struct Labelled {
    pub(super) label: Cow<'static, str>,
    /// `None` where it is the metric's own.
    pub(super) unit: Option<&'static str>,
    pub(super) column: Column,
    /// Its newest value where that is none that can be drawn.
    pub(super) not_finite: Option<&'static str>,
    /// What its counter had.
    before: f64,
}

/// See the module.
pub(super) struct Metric {
    pub(super) kind: Kind,
    pub(super) help: String,
    pub(super) unit: Option<&'static str>,
    pub(super) columns: Vec<Labelled>,
    /// How many label sets it has, with a column or without.
    pub(super) label_sets: usize,
    histogram: Option<Distribution>,
    /// What all label sets of a counter had together.
    total_before: f64,
    /// Counted since long before the pane: the first value is no increase.
    has_past: bool,
}

struct Distribution {
    bounds: Bounds,
    before: Vec<u64>,
    /// What it had when the running step of each length began.
    starts: [Vec<u64>; 3],
}

/// How long it is since the snapshot before, and in which second the new one falls.
#[derive(Clone, Copy)]
pub(super) struct Tick {
    pub(super) place: Place,
    /// Seconds since the snapshot before.
    pub(super) seconds: f64,
}

impl Metric {
    /// Columns that a metric of this kind begins with; counters and gauges get more with their label sets.
    pub(super) fn columns_of(kind: Kind) -> usize {
        if kind == Kind::Histogram { QUANTILES.len() + 1 } else { 1 }
    }

    pub(super) fn new(family: &Family) -> Self {
        let named = |label: &'static str, unit| Labelled::new(label.into(), unit);
        let distribution = family.series.iter().find_map(|series| match &series.value {
            Value::Histogram { bounds, buckets } => Some(Distribution {
                bounds: Arc::clone(bounds),
                before: vec![0; buckets.len()],
                starts: [const { Vec::new() }; 3].map(|_: Vec<u64>| vec![0; buckets.len()]),
            }),
            Value::Number(_) => None,
        });
        let columns = match distribution {
            Some(_) => {
                let quantiles = QUANTILES.iter().map(|(label, _)| named(label, None));
                quantiles.chain([named(RATE, Some("per_second"))]).collect()
            }
            None => Vec::new(),
        };
        Self {
            kind: family.kind,
            help: family.help.chars().take(300).collect(),
            unit: family.unit,
            columns,
            label_sets: family.series.len(),
            histogram: distribution,
            total_before: 0.0,
            has_past: family.name.starts_with("process_"),
        }
    }

    /// Empties the slots that begin a new step.
    pub(super) fn clear(&mut self, place: &Place) {
        self.columns.iter_mut().for_each(|labelled| labelled.column.clear(place));
        if let Some(distribution) = &mut self.histogram {
            for length in 0..STEPS.len() {
                if place.fresh[length] {
                    distribution.starts[length].clone_from(&distribution.before);
                }
            }
        }
    }

    /// Records what it has now. `free` columns may be taken of those that are left.
    pub(super) fn record(&mut self, family: &Family, tick: Tick, free: &mut usize) {
        self.label_sets = family.series.len();
        match family.kind {
            Kind::Histogram => self.record_histogram(&family.series, tick),
            Kind::Counter => self.record_counter(&family.series, tick, free),
            Kind::Gauge => self.record_gauge(&family.series, tick, free),
        }
        self.has_past = false;
    }

    fn record_counter(&mut self, series: &[Series], tick: Tick, free: &mut usize) {
        let rate = |now: f64, before: f64| (now - before).max(0.0) / tick.seconds;
        let (mut total, mut own, mut own_before) = (0.0, 0.0, 0.0);
        for one in series {
            let Value::Number(now) = one.value else { continue };
            total += now;
            let has_past = self.has_past;
            if let Some(labelled) = self.find_or_add(&one.labels, free) {
                let before = if has_past { now } else { labelled.before };
                labelled.column.put(&tick.place, rate(now, before));
                (own, own_before) = (own + now, own_before + labelled.before);
                labelled.before = now;
            }
        }
        let others = self.columns.len() > LABEL_SETS || own < total;
        let others_before = self.total_before - own_before;
        if others && let Some(labelled) = self.find_or_add_other(free) {
            let before = if labelled.before.is_nan() { others_before } else { labelled.before };
            labelled.column.put(&tick.place, rate(total - own, before));
            labelled.before = total - own;
        }
        self.total_before = total;
    }

    fn record_gauge(&mut self, series: &[Series], tick: Tick, free: &mut usize) {
        let numbers = series.iter().filter_map(|one| match one.value {
            Value::Number(now) => Some((&*one.labels, now)),
            Value::Histogram { .. } => None,
        });
        // The largest come first: where columns are fewer, they are theirs.
        let mut numbers: Vec<(&str, f64)> = numbers.collect();
        numbers.sort_by(|one, other| size(other.1).total_cmp(&size(one.1)));
        if tick.place.fresh[STEPS.len() - 1] {
            self.give_way(&numbers);
        }
        for (labels, now) in numbers {
            let Some(labelled) = self.find_or_add(labels, free) else { continue };
            labelled.not_finite = match now {
                _ if now.is_finite() => None,
                _ if now.is_nan() => Some("NaN"),
                _ => Some(if now > 0.0 { "+Inf" } else { "-Inf" }),
            };
            if now.is_finite() {
                labelled.column.put(&tick.place, now);
            }
        }
    }

    /// The column of the smallest becomes that of a label set that is more than twice as large, or the one of a label set that is
    /// gone that of one that is there. Its past is lost, so this is done once a minute.
    fn give_way(&mut self, numbers: &[(&str, f64)]) {
        let now = |label: &str| {
            numbers.iter().find(|(labels, _)| *labels == label).map_or(f64::NEG_INFINITY, |one| size(one.1))
        };
        let columns = self.columns.iter().enumerate().map(|(at, labelled)| (at, now(&labelled.label)));
        let Some((at, smallest)) = columns.min_by(|one, other| one.1.total_cmp(&other.1)) else { return };
        let has_column = |labels: &str| self.columns.iter().any(|labelled| labelled.label == labels);
        let Some((labels, number)) = numbers.iter().find(|(labels, _)| !has_column(labels)) else { return };
        let is_gone = smallest == f64::NEG_INFINITY && number.is_finite();
        if self.columns.len() >= LABEL_SETS && (is_gone || size(*number) > smallest + smallest.abs()) {
            self.columns[at] = Labelled::new((*labels).to_owned().into(), None);
        }
    }

    fn record_histogram(&mut self, series: &[Series], tick: Tick) {
        let Some(distribution) = &mut self.histogram else { return };
        let mut now = vec![0; distribution.before.len()];
        for one in series {
            if let Value::Histogram { buckets, .. } = &one.value {
                now.iter_mut().zip(buckets).for_each(|(sum, count)| *sum += count);
            }
        }
        let since = |start: &[u64]| -> Vec<u64> {
            now.iter().zip(start).map(|(now, start)| now.saturating_sub(*start)).collect()
        };
        let bounds = (*distribution.bounds).as_ref();
        for length in 0..STEPS.len() {
            let increase = since(&distribution.starts[length]);
            for (labelled, (_, q)) in self.columns.iter_mut().zip(QUANTILES) {
                labelled.column.put_at(length, tick.place.at[length], quantile(q, bounds, &increase));
            }
        }
        let observed: u64 = since(&distribution.before).iter().sum();
        if let Some(labelled) = self.columns.last_mut() {
            labelled.column.put(&tick.place, observed as f64 / tick.seconds);
        }
        distribution.before = now;
    }

    /// The bounds of a histogram.
    pub(super) fn bounds(&self) -> Option<&[f64]> {
        self.histogram.as_ref().map(|distribution| (*distribution.bounds).as_ref())
    }

    fn find_or_add(&mut self, labels: &str, free: &mut usize) -> Option<&mut Labelled> {
        match self.columns.iter().position(|labelled| labelled.label == labels) {
            Some(at) => self.columns.get_mut(at),
            None if self.columns.len() < LABEL_SETS => self.add(labels.to_owned().into(), free),
            None => None,
        }
    }

    fn find_or_add_other(&mut self, free: &mut usize) -> Option<&mut Labelled> {
        match self.columns.iter().position(|labelled| labelled.label == OTHER) {
            Some(at) => self.columns.get_mut(at),
            None => {
                let labelled = self.add(OTHER.into(), free)?;
                labelled.before = f64::NAN;
                Some(labelled)
            }
        }
    }

    fn add(&mut self, label: Cow<'static, str>, free: &mut usize) -> Option<&mut Labelled> {
        *free = free.checked_sub(1)?;
        let unit = (self.kind == Kind::Counter).then_some("per_second");
        self.columns.push(Labelled::new(label, unit));
        self.columns.last_mut()
    }
}

/// What a gauge is ordered by: what is no number comes last.
fn size(value: f64) -> f64 {
    if value.is_finite() { value } else { f64::NEG_INFINITY }
}

impl Labelled {
    fn new(label: Cow<'static, str>, unit: Option<&'static str>) -> Self {
        Self { label, unit, column: Column::new(), not_finite: None, before: 0.0 }
    }
}

#[cfg(test)]
mod tests;
