//! What both formats have in common: the lines of samples.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::metrics::exemplars::Exemplar;
use crate::metrics::histogram::Bounds;
use crate::metrics::snapshot::{HistogramSnapshot, SeriesSnapshot, Value};

/// How a format writes what is not the same in both.
pub(super) trait Dialect {
    /// The number of a bound, as the label `le` has it.
    fn bound(bound: f64) -> String;

    /// What follows a bucket of this exemplar.
    fn exemplar(out: &mut String, exemplar: &Exemplar);
}

/// Writes series, and remembers the labels `le` of the last bounds: all series of a family share theirs.
pub(super) struct Samples<'a> {
    pub(super) out: &'a mut String,
    bounds: Option<Arc<Bounds>>,
    /// `le="…"} ` of every bucket.
    le: Vec<String>,
}

impl<'a> Samples<'a> {
    pub(super) fn new(out: &'a mut String) -> Self {
        Self { out, bounds: None, le: Vec::new() }
    }

    pub(super) fn series<D: Dialect>(&mut self, name: &str, series: &SeriesSnapshot) {
        match &series.value {
            Value::Integer(value) => self.integer(name, "", &series.labels, *value),
            Value::Text(value) => {
                self.start(name, "", &series.labels);
                self.out.extend([&**value, "\n"]);
            }
            Value::Histogram(histogram) => self.histogram::<D>(name, &series.labels, histogram),
        }
    }

    fn histogram<D: Dialect>(&mut self, name: &str, labels: &str, histogram: &HistogramSnapshot) {
        self.use_bounds::<D>(&histogram.bounds);
        let mut cumulative = 0;
        for (bucket, count) in histogram.reading.buckets.iter().enumerate() {
            cumulative += count;
            self.out.extend([name, "_bucket{", labels]);
            if !labels.is_empty() {
                self.out.push(',');
            }
            self.out.push_str(&self.le[bucket]);
            self.out.push_str(itoa::Buffer::new().format(cumulative));
            if *count > 0
                && let Some(Some(exemplar)) = histogram.exemplars.get(bucket)
            {
                D::exemplar(self.out, exemplar);
            }
            self.out.push('\n');
        }
        self.start(name, "_sum", labels);
        // Writing to a String cannot fail.
        let _ = match histogram.reading.sum {
            f64::INFINITY => writeln!(self.out, "+Inf"),
            f64::NEG_INFINITY => writeln!(self.out, "-Inf"),
            sum => writeln!(self.out, "{sum:?}"),
        };
        self.integer(name, "_count", labels, cumulative);
    }

    fn use_bounds<D: Dialect>(&mut self, bounds: &Arc<Bounds>) {
        if !self.bounds.as_ref().is_some_and(|known| Arc::ptr_eq(known, bounds)) {
            let finite = bounds.upper().iter().map(|bound| D::bound(*bound));
            self.le = finite.chain(["+Inf".into()]).map(|bound| format!("le=\"{bound}\"}} ")).collect();
            self.bounds = Some(Arc::clone(bounds));
        }
    }

    fn integer(&mut self, name: &str, suffix: &str, labels: &str, value: u64) {
        self.start(name, suffix, labels);
        self.out.extend([itoa::Buffer::new().format(value), "\n"]);
    }

    fn start(&mut self, name: &str, suffix: &str, labels: &str) {
        self.out.extend([name, suffix]);
        if labels.is_empty() {
            self.out.push(' ');
        } else {
            self.out.extend(["{", labels, "} "]);
        }
    }
}

/// Appends a help text: backslashes and line breaks are escaped, and quotes where the format asks for it.
pub(super) fn push_help(out: &mut String, help: &str, escape_quotes: bool) {
    for character in help.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' if escape_quotes => out.push_str("\\\""),
            other => out.push(other),
        }
    }
}
