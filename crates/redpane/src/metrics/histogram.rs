//! Histograms with fixed buckets, in sharded atomics.
//!
//! A sample is one increment of its bucket and one addition to the sum. The count is never stored: it is the sum of the
//! buckets as they were read, so `_count`, `+Inf` and `http_requests_total` of one scrape cannot differ.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::shards::{self, Padded};

/// As many as fill their padding.
type Cells = Padded<[AtomicU64; CELLS]>;
const CELLS: usize = size_of::<Padded<u8>>() / size_of::<AtomicU64>();

/// What the values of a histogram are, and so how their sum is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    /// Whole nanoseconds, shown as seconds. Sums stay exact for 584 years of them.
    Nanoseconds,
    /// Whole numbers, shown as they are.
    Whole,
    /// Any number.
    Float,
}

/// The upper bounds of the buckets, ascending, without `+Inf`.
#[derive(Debug)]
pub(crate) struct Bounds {
    upper: Vec<f64>,
    /// The same in whole units of the scale; unused for floats.
    whole: Vec<u64>,
    scale: Scale,
}

impl Bounds {
    /// The bounds must be finite and ascending; the error says which are not.
    pub(crate) fn new(upper: &[f64], scale: Scale) -> Result<Arc<Self>, String> {
        if upper.is_empty() {
            return Err("no bucket bounds given; give at least one".into());
        }
        if let Some(bad) = upper.iter().find(|bound| !bound.is_finite()) {
            return Err(format!("bucket bound {bad} is not a finite number; leave +Inf out, it is always there"));
        }
        if let Some(pair) = upper.windows(2).find(|pair| pair[0] >= pair[1]) {
            return Err(format!("bucket bounds must ascend, but {} comes before {}", pair[0], pair[1]));
        }
        if scale != Scale::Float && upper[0] <= 0.0 {
            return Err(format!("bucket bound {} is not above zero", upper[0]));
        }
        let factor = if scale == Scale::Nanoseconds { 1e9 } else { 1.0 };
        let whole = upper.iter().map(|bound| (bound * factor).round() as u64).collect();
        Ok(Arc::new(Self { upper: upper.to_vec(), whole, scale }))
    }

    /// The same bounds for values of any kind.
    pub(crate) fn as_float(&self) -> Arc<Self> {
        Arc::new(Self { upper: self.upper.clone(), whole: Vec::new(), scale: Scale::Float })
    }

    pub(crate) fn upper(&self) -> &[f64] {
        &self.upper
    }

    /// Buckets, `+Inf` included.
    pub(crate) fn buckets(&self) -> usize {
        self.upper.len() + 1
    }
}

impl AsRef<[f64]> for Bounds {
    fn as_ref(&self) -> &[f64] {
        &self.upper
    }
}

/// Counts one label set. Cells of a shard: the sum, then a counter for each bucket. The sum stands first, because most
/// values fall into the first buckets, which then lie in the same cache line.
pub(crate) struct Histogram {
    bounds: Arc<Bounds>,
    cells: Box<[Cells]>,
    /// Elements of `cells` that a shard takes.
    stride: usize,
}

/// What one reading of a histogram saw.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Reading {
    /// Samples in each bucket alone, not cumulated; the last is `+Inf`.
    pub(crate) buckets: Vec<u64>,
    pub(crate) sum: f64,
}

impl Reading {
    pub(crate) fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}

impl Histogram {
    pub(crate) fn new(bounds: Arc<Bounds>) -> Self {
        let stride = (bounds.buckets() + 1).div_ceil(CELLS);
        let cells = (0..stride * shards::count()).map(|_| Padded::default()).collect();
        Self { bounds, cells, stride }
    }

    pub(crate) fn bounds(&self) -> &Arc<Bounds> {
        &self.bounds
    }

    /// Counts a value in whole units of the scale, in the shard of this thread ([`shards::mine`]). Returns its bucket.
    pub(crate) fn observe_whole(&self, value: u64, shard: usize) -> usize {
        let bucket = self.bounds.whole.iter().position(|&bound| value <= bound).unwrap_or(self.bounds.whole.len());
        let shard = self.shard(shard);
        bucket_cell(shard, bucket).fetch_add(1, Ordering::Relaxed);
        // Most requests have no body, and adding nothing costs as much as adding something.
        if value > 0 {
            sum_cell(shard).fetch_add(value, Ordering::Relaxed);
        }
        bucket
    }

    /// Counts any number. NaN is counted in `+Inf` and left out of the sum, which it would make NaN for ever.
    pub(crate) fn observe(&self, value: f64) {
        let bucket = self.bounds.upper.iter().position(|&bound| value <= bound).unwrap_or(self.bounds.upper.len());
        let shard = self.shard(shards::mine());
        bucket_cell(shard, bucket).fetch_add(1, Ordering::Relaxed);
        if !value.is_nan() {
            let add = |sum| Some((f64::from_bits(sum) + value).to_bits());
            // The closure always returns a number, so this cannot fail.
            let _ = sum_cell(shard).fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
        }
    }

    fn shard(&self, shard: usize) -> &[Cells] {
        &self.cells[shard * self.stride..][..self.stride]
    }

    /// Reads all shards. Each bucket only ever grows from one reading to the next.
    pub(crate) fn read(&self) -> Reading {
        let mut buckets = vec![0; self.bounds.buckets()];
        let (mut whole, mut float) = (0_u64, 0.0);
        for shard in self.cells.chunks_exact(self.stride) {
            for (bucket, total) in buckets.iter_mut().enumerate() {
                *total += bucket_cell(shard, bucket).load(Ordering::Relaxed);
            }
            let sum = sum_cell(shard).load(Ordering::Relaxed);
            whole = whole.wrapping_add(sum);
            float += f64::from_bits(sum);
        }
        let sum = match self.bounds.scale {
            Scale::Nanoseconds => whole as f64 / 1e9,
            Scale::Whole => whole as f64,
            Scale::Float => float,
        };
        Reading { buckets, sum }
    }
}

fn sum_cell(shard: &[Cells]) -> &AtomicU64 {
    &shard[0].0[0]
}

fn bucket_cell(shard: &[Cells], bucket: usize) -> &AtomicU64 {
    let number = bucket + 1;
    &shard[number / CELLS].0[number % CELLS]
}

impl metrics::HistogramFn for Histogram {
    fn record(&self, value: f64) {
        self.observe(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_bucket() {
        let histogram = Histogram::new(Bounds::new(&[0.001, 0.25], Scale::Nanoseconds).unwrap());
        for nanoseconds in [0, 1_000_000, 1_000_001, 250_000_000, 250_000_001, u64::from(u32::MAX)] {
            histogram.observe_whole(nanoseconds, shards::mine());
        }
        assert_eq!(histogram.read().buckets, [2, 2, 2]);
        assert_eq!(histogram.read().sum, 4.796_967_297);
    }

    #[test]
    fn no_sample_is_lost_between_threads() {
        let histogram = Histogram::new(Bounds::new(&[1.0, 2.0], Scale::Float).unwrap());
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..10_000).for_each(|_| histogram.observe(1.5)));
            }
        });
        assert_eq!(histogram.read(), Reading { buckets: vec![0, 80_000, 0], sum: 120_000.0 });
    }

    #[test]
    fn nan_is_counted_and_does_not_poison_the_sum() {
        let histogram = Histogram::new(Bounds::new(&[1.0], Scale::Float).unwrap());
        histogram.observe(f64::NAN);
        histogram.observe(0.5);
        assert_eq!(histogram.read(), Reading { buckets: vec![1, 1], sum: 0.5 });
    }

    #[test]
    fn bad_bounds_are_named() {
        for (bounds, what) in [
            (&[][..], "at least one"),
            (&[1.0, 1.0][..], "must ascend, but 1 comes before 1"),
            (&[1.0, f64::INFINITY][..], "inf is not a finite number"),
            (&[0.0, 1.0][..], "0 is not above zero"),
        ] {
            let error = Bounds::new(bounds, Scale::Nanoseconds).unwrap_err();
            assert!(error.contains(what), "{error}");
        }
    }
}
