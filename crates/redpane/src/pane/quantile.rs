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

/// Those three that every chart of a latency shows.
pub(super) const QUANTILES: [(&str, f64); 3] = [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)];

/// Nobody reads more digits than six.
pub(super) fn rounded(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

/// The same for what a chart shows.
pub(super) fn rounded_for_chart(value: f64) -> f32 {
    rounded(value) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

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
