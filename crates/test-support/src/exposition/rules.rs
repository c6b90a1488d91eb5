//! What each type of metric allows.

use std::collections::{BTreeSet, HashSet};

use redpane::ExpositionFormat::{self, OpenMetrics};

use super::lexical::{Labels, number};
use super::{Family, Sample};

impl Family {
    /// The names that its samples may have.
    pub(super) fn sample_names(&self, format: ExpositionFormat) -> Vec<String> {
        match self.kind.as_str() {
            "counter" if format == OpenMetrics => vec![format!("{}_total", self.name)],
            "histogram" => ["_bucket", "_sum", "_count"].map(|suffix| format!("{}{suffix}", self.name)).into(),
            "" => Vec::new(),
            _ => vec![self.name.clone()],
        }
    }

    /// The names that no other family may have or need.
    pub(super) fn claims(&self, format: ExpositionFormat) -> HashSet<String> {
        self.sample_names(format).into_iter().chain([self.name.clone()]).collect()
    }

    /// Whether its samples are what its type allows.
    pub(super) fn check(&self, format: ExpositionFormat) -> Result<(), String> {
        if self.kind.is_empty() {
            return Err("no type".into());
        }
        let negative = |sample: &&Sample| sample.value.is_nan() || sample.value < 0.0;
        if self.kind == "counter"
            && let Some(sample) = self.samples.iter().find(negative)
        {
            return Err(format!("a counter of {}", sample.value));
        }
        if self.kind == "histogram" { self.check_histogram(format) } else { Ok(()) }
    }

    /// Every label set: its buckets in ascending order up to `+Inf`, then sum and count, with nothing in between.
    fn check_histogram(&self, format: ExpositionFormat) -> Result<(), String> {
        let mut seen = BTreeSet::new();
        let mut samples = self.samples.iter().peekable();
        while samples.peek().is_some() {
            let mut last = (f64::NEG_INFINITY, 0.0);
            let mut series = Labels::new();
            while let Some(bucket) = samples.next_if(|sample| sample.name.ends_with("_bucket")) {
                series.clone_from(&bucket.labels);
                let le = series.remove("le").ok_or("a bucket without le")?;
                let bound = number(&le)?;
                if format == OpenMetrics && bound.is_finite() && le != format!("{bound:?}") {
                    return Err(format!("le={le:?} is not canonical"));
                }
                if bound <= last.0 || bucket.value < last.1 || bucket.value.fract() != 0.0 {
                    return Err(format!("the bucket le={le:?} holds {} after {}", bucket.value, last.1));
                }
                if let Some(exemplar) = &bucket.exemplar
                    && (exemplar.value > bound || exemplar.value <= last.0 || bucket.value == last.1)
                {
                    return Err(format!("the exemplar {exemplar:?} is not of the bucket le={le:?}"));
                }
                last = (bound, bucket.value);
            }
            if last.0 != f64::INFINITY {
                return Err(format!("{series:?} has no bucket +Inf"));
            }
            let (sum, count) = (samples.next().ok_or("no sum")?, samples.next().ok_or("no count")?);
            if !sum.name.ends_with("_sum") || !count.name.ends_with("_count") {
                return Err(format!("{} and {} instead of sum and count", sum.name, count.name));
            }
            if sum.labels != series || count.labels != series || count.value != last.1 {
                return Err(format!("sum {sum:?} and count {count:?} after a bucket +Inf of {}", last.1));
            }
            if !seen.insert(series.clone()) {
                return Err(format!("{series:?} comes in two places"));
            }
        }
        Ok(())
    }
}
