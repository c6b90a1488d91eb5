//! A counter: the rate of each label set, and of all further ones together.

use super::super::input::{Series, Value};
use super::columns::{Columns, LABEL_SETS, Labelled, Tick};

/// The column of the other label sets.
pub(super) const OTHER: &str = "_other";

/// What the columns of a counter do not know.
pub(super) struct Counter {
    /// What all label sets had together.
    total_before: f64,
    /// Counted since long before the pane: the first value is no increase.
    has_past: bool,
}

impl Counter {
    pub(super) fn new(has_past: bool) -> Self {
        Self { total_before: 0.0, has_past }
    }

    pub(super) fn record(&mut self, columns: &mut Columns, series: &[Series], tick: Tick, free: &mut usize) {
        let rate = |now: f64, before: f64| (now - before).max(0.0) / tick.seconds;
        let (mut total, mut own, mut own_before) = (0.0, 0.0, 0.0);
        for one in series {
            let Value::Number(now) = one.value else { continue };
            total += now;
            if let Some(labelled) = columns.find_or_add(&one.labels, free) {
                let before = if self.has_past { now } else { labelled.before };
                labelled.put(&tick.place, rate(now, before));
                (own, own_before) = (own + now, own_before + labelled.before);
                labelled.before = now;
            }
        }
        let others = columns.len() > LABEL_SETS || own < total;
        let others_before = self.total_before - own_before;
        if others && let Some(labelled) = find_or_add_other(columns, free) {
            let before = if labelled.before.is_nan() { others_before } else { labelled.before };
            labelled.put(&tick.place, rate(total - own, before));
            labelled.before = total - own;
        }
        self.total_before = total;
        self.has_past = false;
    }
}

fn find_or_add_other<'a>(columns: &'a mut Columns, free: &mut usize) -> Option<&'a mut Labelled> {
    match columns.position(OTHER) {
        Some(at) => columns.list.get_mut(at),
        None => {
            let labelled = columns.add(OTHER.into(), free)?;
            labelled.before = f64::NAN;
            Some(labelled)
        }
    }
}
