//! Quantiles from the buckets of a histogram.

/// The quantile `q` (0 to 1) of so many values by bucket, interpolated as Prometheus' `histogram_quantile` does it: linear
/// within a bucket, whose first begins at 0; the highest bound where it falls into the last bucket. `None` without a value.
pub(super) fn quantile(q: f64, bounds: &[f64], counts: &[u64]) -> Option<f64> {
    let total: u64 = counts.iter().sum();
    if total == 0 {
        return None;
    }
    let rank = q * total as f64;
    let mut below = 0.0;
    for (bucket, &count) in counts.iter().enumerate() {
        let count = count as f64;
        if count > 0.0 && below + count >= rank {
            let Some(&upper) = bounds.get(bucket) else { break };
            let lower = match bucket.checked_sub(1) {
                Some(before) => bounds[before],
                None => 0.0_f64.min(upper),
            };
            return Some(lower + (upper - lower) * ((rank - below) / count).clamp(0.0, 1.0));
        }
        below += count;
    }
    bounds.last().copied()
}

/// Values below which a quantile says no more than its bucket.
const FEW: u64 = 100;

/// A quantile in seconds of so many values, as exact as it is: the bound of its bucket where they are few.
pub(super) fn in_words(value: f64, of: u64, bounds: &[f64]) -> String {
    let last = bounds.last().copied().unwrap_or(f64::INFINITY);
    let bound = bounds.iter().find(|bound| **bound >= value);
    match bound {
        _ if value >= last => format!("more than {last} s"),
        Some(bound) if of < FEW => format!("at most {bound} s"),
        _ => format!("{value:.3} s"),
    }
}

/// Those three that every chart of a latency shows.
pub(super) const QUANTILES: [(&str, f64); 3] = [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)];

/// Six digits are enough for a rate; a position in a queue and a time in seconds keep all of theirs, and three behind the point.
pub(super) fn rounded(value: f64) -> f64 {
    let text = if value.abs() < 1000.0 { format!("{value:.5e}") } else { format!("{value:.3}") };
    text.parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_and_times_keep_their_digits() {
        let kept = [0.0, 123_456_789_012.0, 9_007_199_254_740_991.0, 1_764_400_123.456, -98_765_432.0, 0.000_012_345_6];
        assert_eq!(kept.map(rounded), kept);
        assert_eq!([56.789_012_3, 1.0 / 3.0, 12_345.678_9].map(rounded), [56.789, 0.333_333, 12_345.679]);
        assert!(rounded(f64::NAN).is_nan() && rounded(f64::INFINITY).is_infinite());
    }

    #[test]
    fn words_are_as_exact_as_what_is_behind_them() {
        let words = |value, of| in_words(value, of, &[0.5, 2.5, 10.0]);
        assert_eq!(words(1.675, 25), "at most 2.5 s");
        assert_eq!(words(1.675, 100), "1.675 s");
        assert_eq!([words(10.0, 3), words(10.0, 5000)], ["more than 10 s"; 2]);
    }

    #[test]
    fn interpolated_in_their_bucket() {
        let bounds = [1.0, 2.0, 4.0];
        assert_eq!(quantile(0.5, &bounds, &[0, 4, 0, 0]), Some(1.5));
        assert_eq!(quantile(0.5, &bounds, &[10, 0, 0, 0]), Some(0.5));
        assert_eq!(quantile(0.99, &bounds, &[1, 1, 1, 97]), Some(4.0), "the last bucket has no bound");
        assert_eq!(quantile(0.75, &bounds, &[1, 0, 3, 0]), Some(2.0 + 2.0 * (2.0 / 3.0)));
        assert_eq!(quantile(0.5, &bounds, &[0; 4]), None);
    }
}
