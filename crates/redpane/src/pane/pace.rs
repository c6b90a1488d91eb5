//! How often the metrics of the application are read: with thousands of label sets not each second, so that the thread of the
//! pane takes about a hundredth of one core at most.

/// Label sets that are read in a second.
const A_SECOND: usize = 2_000;
/// The most seconds between two readings.
const LONGEST: u64 = 60;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// The second in which they are to be read again.
    next: u64,
}

impl Pace {
    /// Whether they are to be read in this second. After the clock was set back they are.
    pub(super) fn is_due(&self, second: u64) -> bool {
        second >= self.next || self.next - second > LONGEST
    }

    /// Says how many label sets were read.
    pub(super) fn read(&mut self, second: u64, label_sets: usize) {
        self.next = second + (label_sets.div_ceil(A_SECOND) as u64).clamp(1, LONGEST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_label_sets_the_longer_the_pause() {
        let pauses = [0, 1, 2_000, 2_001, 10_000, 1_000_000].map(|label_sets| {
            let mut pace = Pace::default();
            assert!(pace.is_due(1_800_000_000));
            pace.read(1_800_000_000, label_sets);
            (1_800_000_001..).find(|second| pace.is_due(*second)).unwrap() - 1_800_000_000
        });
        assert_eq!(pauses, [1, 1, 1, 2, 5, 60]);
    }

    #[test]
    fn a_clock_that_was_set_back_ends_the_pause() {
        let mut pace = Pace::default();
        pace.read(1_800_000_000, 10_000);
        assert!(pace.is_due(1_700_000_000) && !pace.is_due(1_799_999_999));
    }
}
