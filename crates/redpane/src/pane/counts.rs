//! A ring of whole numbers: a row of counters for each step.

use super::timeline::{Place, Range, SLOTS, STEPS, Timeline};

/// Counts of a step: requests by class of status, gRPC calls that failed under a good status, then requests by bucket of
/// duration.
pub(super) const CLASSES: usize = 4;
const FAILED_CALLS: usize = CLASSES;
pub(super) const BUCKETS: usize = FAILED_CALLS + 1;

/// See the module.
pub(super) struct Counts {
    width: usize,
    rows: [Vec<u32>; 3],
}

impl Counts {
    pub(super) fn new(width: usize) -> Self {
        Self { width, rows: STEPS.map(|(_, count)| vec![0; count * width]) }
    }

    /// Bytes of one with rows of this width.
    pub(super) fn bytes(width: usize) -> usize {
        SLOTS * width * size_of::<u32>()
    }

    /// Empties the rows that begin a new step.
    pub(super) fn clear(&mut self, place: &Place) {
        for (length, rows) in self.rows.iter_mut().enumerate() {
            if place.fresh[length] {
                rows[place.at[length] * self.width..][..self.width].fill(0);
            }
        }
    }

    /// Adds to the rows of a second.
    pub(super) fn add(&mut self, place: &Place, counts: &[u64]) {
        for (length, rows) in self.rows.iter_mut().enumerate() {
            let row = &mut rows[place.at[length] * self.width..][..self.width];
            for (cell, count) in row.iter_mut().zip(counts) {
                *cell = cell.saturating_add(u32::try_from(*count).unwrap_or(u32::MAX));
            }
        }
    }

    /// Adds all that another one has, which was cleared at the same places.
    pub(super) fn add_all(&mut self, other: &Self) {
        let cells = self.rows.iter_mut().flatten().zip(other.rows.iter().flatten());
        cells.for_each(|(cell, count)| *cell = cell.saturating_add(*count));
    }

    /// The row in a slot.
    pub(super) fn row(&self, length: usize, at: usize) -> &[u32] {
        &self.rows[length][at * self.width..][..self.width]
    }

    /// The sums of a range, and of how many seconds they are.
    pub(super) fn sum(&self, timeline: &Timeline, range: Range) -> (Vec<u64>, u64) {
        let (mut sums, mut seconds) = (vec![0; self.width], 0);
        for (at, recorded) in (range.first..range.end).filter_map(|step| timeline.find(range.length, step)) {
            seconds += u64::from(recorded);
            for (sum, count) in sums.iter_mut().zip(self.row(range.length, at)) {
                *sum += u64::from(*count);
            }
        }
        (sums, seconds)
    }
}

/// From here on a request is slow: the limit of the rule about p99, in seconds.
pub(super) const SLOW: f64 = 1.0;

/// The first cell of a row whose requests are slow.
pub(super) fn first_slow(bounds: &[f64]) -> usize {
    BUCKETS + bounds.iter().position(|bound| *bound > SLOW).unwrap_or(bounds.len())
}

/// Requests of a row.
pub(super) fn requests(row: &[u64]) -> u64 {
    row[..CLASSES].iter().sum()
}

/// What failed by the server's fault: answers 5xx, and gRPC calls by their code.
pub(super) fn errors(row: &[u64]) -> u64 {
    row[CLASSES - 1] + row[FAILED_CALLS]
}

/// gRPC calls among the errors.
pub(super) fn failed_calls(row: &[u64]) -> u64 {
    row[FAILED_CALLS]
}

/// The share of errors, `None` without a request. A stream may fail in another step than that of its request.
pub(super) fn error_ratio(row: &[u64]) -> Option<f64> {
    let (errors, requests) = (errors(row), requests(row));
    (requests + errors > 0).then(|| (errors as f64 / requests.max(1) as f64).min(1.0))
}

/// Requests by class, those among the last that have failed: a gRPC call fails under the status 200.
pub(super) fn by_class(row: &[u64]) -> [u64; CLASSES] {
    let [good, redirected, refused, _] = [row[0], row[1], row[2], row[3]];
    [good.saturating_sub(failed_calls(row)), redirected, refused, errors(row)]
}

/// The part of a count that falls to one of several seconds, so that all parts together are the count.
pub(super) fn part(count: u64, number: u64, of: u64) -> u64 {
    count * (number + 1) / of - count * number / of
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_of_step_has_the_same_sums() {
        let (mut timeline, mut counts) = (Timeline::new(), Counts::new(2));
        for second in 1_800_000_000..1_800_000_600 {
            let place = timeline.begin(second);
            counts.clear(&place);
            counts.add(&place, &[3, second % 2]);
        }
        for length in 0..3 {
            assert_eq!(counts.sum(&timeline, timeline.newest(length, 600)), (vec![1800, 300], 600), "{length}");
        }
        assert_eq!(counts.sum(&timeline, timeline.newest(0, 10)), (vec![30, 5], 10));
    }

    #[test]
    fn a_call_that_failed_is_no_good_request() {
        let row = [10, 1, 2, 3, 4, 0];
        assert_eq!((requests(&row), errors(&row), by_class(&row)), (16, 7, [6, 1, 2, 7]));
        assert_eq!(error_ratio(&row), Some(7.0 / 16.0));
        // A stream that fails long after its headers.
        let late = [0, 0, 0, 0, 1, 0];
        assert_eq!((error_ratio(&late), by_class(&late)), (Some(1.0), [0, 0, 0, 1]));
        assert_eq!(error_ratio(&[0; 6]), None);
    }

    #[test]
    fn parts_are_the_whole() {
        assert_eq!((0..4).map(|number| part(7, number, 4)).collect::<Vec<_>>(), [1, 2, 2, 2]);
        assert_eq!(part(7, 0, 1), 7);
    }
}
