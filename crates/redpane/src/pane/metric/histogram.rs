//! A histogram: the quantiles of each step, over all of its label sets, and the observations a second.

use std::sync::Arc;

use super::super::input::{Bounds, Series, Value};
use super::super::quantile::{QUANTILES, quantile};
use super::super::timeline::{Place, STEPS};
use super::columns::{Columns, Labelled, Tick};

/// The column of the observations a second; it stands behind those of the quantiles.
pub(super) const RATE: &str = "rate";
/// Columns of a histogram.
pub(super) const COLUMNS: usize = QUANTILES.len() + 1;

/// What the columns of a histogram do not know.
pub(super) struct Histogram {
    bounds: Bounds,
    before: Vec<u64>,
    /// What it had when the running step of each length began.
    starts: [Vec<u64>; 3],
}

impl Histogram {
    /// `None` where there is no distribution among the series.
    pub(super) fn new(series: &[Series]) -> Option<Self> {
        series.iter().find_map(|series| match &series.value {
            Value::Histogram { bounds, buckets } => Some(Self {
                bounds: Arc::clone(bounds),
                before: vec![0; buckets.len()],
                starts: [const { Vec::new() }; 3].map(|_: Vec<u64>| vec![0; buckets.len()]),
            }),
            Value::Number(_) => None,
        })
    }

    pub(super) fn columns() -> Vec<Labelled> {
        let quantiles = QUANTILES.iter().map(|(label, _)| Labelled::new((*label).into(), None));
        quantiles.chain([Labelled::new(RATE.into(), Some("per_second"))]).collect()
    }

    pub(super) fn bounds(&self) -> &[f64] {
        (*self.bounds).as_ref()
    }

    /// Begins the steps that are new.
    pub(super) fn clear(&mut self, place: &Place) {
        for length in 0..STEPS.len() {
            if place.fresh[length] {
                self.starts[length].clone_from(&self.before);
            }
        }
    }

    pub(super) fn record(&mut self, columns: &mut Columns, series: &[Series], tick: Tick) {
        let mut now = vec![0; self.before.len()];
        for one in series {
            if let Value::Histogram { buckets, .. } = &one.value {
                now.iter_mut().zip(buckets).for_each(|(sum, count)| *sum += count);
            }
        }
        let since = |start: &[u64]| -> Vec<u64> {
            now.iter().zip(start).map(|(now, start)| now.saturating_sub(*start)).collect()
        };
        for length in 0..STEPS.len() {
            let increase = since(&self.starts[length]);
            for (labelled, (_, q)) in columns.list.iter_mut().zip(QUANTILES) {
                let value = quantile(q, (*self.bounds).as_ref(), &increase);
                labelled.column.put_at(length, tick.place.at[length], value);
                if length == 0 {
                    labelled.last = value.unwrap_or(f64::NAN);
                }
            }
        }
        let observed: u64 = since(&self.before).iter().sum();
        if let Some(labelled) = columns.list.last_mut() {
            labelled.put(&tick.place, observed as f64 / tick.seconds);
        }
        self.before = now;
    }
    /// The same as in the second before, for one in which it was not read: longer steps are made of what is read.
    pub(super) fn hold(columns: &mut Columns, place: &Place) {
        let Some((rate, quantiles)) = columns.list.split_last_mut() else { return };
        for labelled in quantiles {
            let last = Some(labelled.last).filter(|last| !last.is_nan());
            labelled.column.put_at(0, place.at[0], last);
        }
        rate.hold(place);
    }
}
