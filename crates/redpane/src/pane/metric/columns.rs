//! The columns of one metric, each for a label set, a quantile or a rate.

use std::borrow::Cow;

use super::super::column::{self, Column};
use super::super::timeline::Place;

/// Label sets of a counter or gauge that have a column of their own.
pub(in crate::pane) const LABEL_SETS: usize = 8;

/// The longest text of a label set that has a column: all that are kept together are bounded.
pub(super) const LONGEST: usize = 2 * 1024;

/// How long it is since the snapshot before, and in which second the new one falls.
#[derive(Clone, Copy)]
pub(in crate::pane) struct Tick {
    pub(in crate::pane) place: Place,
    pub(in crate::pane) second: u64,
    /// Seconds since the snapshot before.
    pub(in crate::pane) seconds: f64,
}

/// A column and what it is called.
pub(in crate::pane) struct Labelled {
    pub(in crate::pane) label: Cow<'static, str>,
    /// `None` where it is the metric's own.
    pub(in crate::pane) unit: Option<&'static str>,
    pub(in crate::pane) column: Column,
    /// Its newest value where that is none that can be drawn.
    pub(in crate::pane) not_finite: Option<&'static str>,
    /// What its counter had.
    pub(super) before: f64,
    /// What it has now, until it is read again; `NaN` where that is none.
    pub(super) last: f64,
}

impl Labelled {
    pub(super) fn new(label: Cow<'static, str>, unit: Option<&'static str>) -> Self {
        Self { label, unit, column: Column::new(), not_finite: None, before: 0.0, last: f64::NAN }
    }

    /// Sets the value of a second. `NaN` counts as none.
    pub(super) fn put(&mut self, place: &Place, value: f64) {
        self.column.put(place, value);
        self.last = value;
    }

    /// The same value for a second in which it was not read.
    pub(super) fn hold(&mut self, place: &Place) {
        self.column.put(place, self.last);
    }
}

/// See the module.
pub(in crate::pane) struct Columns {
    pub(super) list: Vec<Labelled>,
    /// The unit of those that are added, where it is not the metric's own.
    unit: Option<&'static str>,
}

impl Columns {
    pub(super) fn new(list: Vec<Labelled>, unit: Option<&'static str>) -> Self {
        Self { list, unit }
    }

    pub(in crate::pane) fn len(&self) -> usize {
        self.list.len()
    }

    pub(in crate::pane) fn iter(&self) -> impl Iterator<Item = &Labelled> {
        self.list.iter()
    }

    pub(super) fn bytes(&self) -> usize {
        self.list.iter().map(|labelled| column::BYTES + labelled.label.len()).sum()
    }

    /// Empties the slots that begin a new step.
    pub(super) fn clear(&mut self, place: &Place) {
        self.list.iter_mut().for_each(|labelled| labelled.column.clear(place));
    }

    /// The column of a label set, which takes one of those that are `free` where it has none yet.
    pub(super) fn find_or_add(&mut self, labels: &str, free: &mut usize) -> Option<&mut Labelled> {
        match self.position(labels) {
            Some(at) => self.list.get_mut(at),
            None if self.list.len() < LABEL_SETS && labels.len() <= LONGEST => self.add(labels.to_owned().into(), free),
            None => None,
        }
    }

    pub(super) fn position(&self, label: &str) -> Option<usize> {
        self.list.iter().position(|labelled| labelled.label == label)
    }

    pub(super) fn add(&mut self, label: Cow<'static, str>, free: &mut usize) -> Option<&mut Labelled> {
        *free = free.checked_sub(1)?;
        self.list.push(Labelled::new(label, self.unit));
        self.list.last_mut()
    }
}
