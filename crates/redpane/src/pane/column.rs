//! A ring of numbers: one value for each step.

use super::quantile::rounded;
use super::timeline::{Place, SLOTS, STEPS};

/// One value for each step, `NaN` where there is none. That of a long step is the mean of its seconds unless it is set.
pub(super) struct Column {
    values: [Vec<f64>; 3],
    /// Sum and number of the values in the running step, by its length.
    running: [(f64, u32); 3],
}

/// Bytes of one.
pub(super) const BYTES: usize = SLOTS * size_of::<f64>();

impl Column {
    pub(super) fn new() -> Self {
        Self { values: STEPS.map(|(_, count)| vec![f64::NAN; count]), running: [(0.0, 0); 3] }
    }

    /// Empties the slots that begin a new step.
    pub(super) fn clear(&mut self, place: &Place) {
        for length in 0..STEPS.len() {
            if place.fresh[length] {
                self.values[length][place.at[length]] = f64::NAN;
                self.running[length] = (0.0, 0);
            }
        }
    }

    /// Sets the value of a second. `NaN` counts as none.
    pub(super) fn put(&mut self, place: &Place, value: f64) {
        if value.is_nan() {
            return;
        }
        for (length, (sum, number)) in self.running.iter_mut().enumerate() {
            *sum += value;
            *number += 1;
            self.values[length][place.at[length]] = rounded(*sum / f64::from(*number));
        }
    }

    /// Sets the value of one length of step only.
    pub(super) fn put_at(&mut self, length: usize, at: usize, value: Option<f64>) {
        self.values[length][at] = value.map_or(f64::NAN, rounded);
    }

    pub(super) fn get(&self, length: usize, at: usize) -> Option<f64> {
        let value = self.values[length][at];
        (!value.is_nan()).then_some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::super::timeline::Timeline;
    use super::*;

    #[test]
    fn a_long_step_has_the_mean_of_its_seconds() {
        let (mut timeline, mut column) = (Timeline::new(), Column::new());
        for second in 1_800_000_000..1_800_000_020 {
            let place = timeline.begin(second);
            column.clear(&place);
            column.put(&place, (second % 10) as f64 + 0.1);
        }
        let value = |length, step| column.get(length, timeline.find(length, step).unwrap().0);
        assert_eq!(value(0, 1_800_000_003), Some(3.1));
        assert_eq!(value(1, 180_000_000), Some(4.6));
        assert_eq!(value(2, 30_000_000), Some(4.6));
    }
}
