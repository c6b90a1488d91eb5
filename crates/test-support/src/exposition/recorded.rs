//! What an application recorded, and how a scrape must show it: written down without a look at the recorder.

use metrics::{Key, Label, Metadata, Recorder};

use super::{Exposition, Labels};

/// One use of a metric by an application.
#[derive(Clone, Debug)]
pub struct Operation {
    /// The metric's name, as the application has it.
    pub name: String,
    /// Its labels, as the application has them: in any order, maybe repeated.
    pub labels: Vec<(String, String)>,
    /// What is done to it.
    pub act: Act,
}

/// What an application does to a metric.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// Adds to a counter.
    Increment(u32),
    /// Sets a gauge.
    Set(f64),
    /// Records a value in a histogram.
    Record(f64),
}

/// What one series adds up to. Its name as it should be shown, and its labels, are the key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Expected {
    /// The sum of all increments.
    Counter(u64),
    /// The value set last.
    Gauge(f64),
    /// Of the values recorded.
    Histogram {
        /// How many.
        count: u64,
        /// Their sum, without those that are NaN.
        sum: f64,
    },
}

/// What Prometheus allows in a name, underscores for the rest.
fn sanitized(name: &str, colons: bool) -> String {
    let allowed = |at: usize, c: char| {
        c.is_ascii_alphabetic() || c == '_' || (colons && c == ':') || (at > 0 && c.is_ascii_digit())
    };
    let shown: String = name.chars().enumerate().map(|(at, c)| if allowed(at, c) { c } else { '_' }).collect();
    if shown.is_empty() { "_".into() } else { shown }
}

impl Operation {
    /// Does it.
    pub fn perform(&self, recorder: &impl Recorder) {
        const METADATA: Metadata<'static> = Metadata::new("test", metrics::Level::INFO, None);
        let labels: Vec<_> = self.labels.iter().map(|(name, value)| Label::new(name.clone(), value.clone())).collect();
        let key = Key::from_parts(self.name.clone(), labels);
        match self.act {
            Act::Increment(by) => recorder.register_counter(&key, &METADATA).increment(by.into()),
            Act::Set(to) => recorder.register_gauge(&key, &METADATA).set(to),
            Act::Record(value) => recorder.register_histogram(&key, &METADATA).record(value),
        }
    }

    /// The name and the labels under which it must be shown.
    pub fn shown(&self) -> (String, Labels) {
        let mut labels = Labels::new();
        for (name, value) in &self.labels {
            let mut name = sanitized(name, false);
            if name.starts_with("__") || (name == "le" && matches!(self.act, Act::Record(_))) {
                name.insert_str(0, "exported_");
            }
            labels.insert(name, value.clone());
        }
        (sanitized(&self.name, true), labels)
    }

    /// What the series adds up to with this operation after the earlier ones.
    pub fn add(&self, earlier: Option<Expected>) -> Expected {
        match (self.act, earlier) {
            (Act::Increment(by), Some(Expected::Counter(n))) => Expected::Counter(n + u64::from(by)),
            (Act::Increment(by), _) => Expected::Counter(by.into()),
            (Act::Set(to), _) => Expected::Gauge(to),
            (Act::Record(value), earlier) => {
                let (count, sum) = match earlier {
                    Some(Expected::Histogram { count, sum }) => (count, sum),
                    _ => (0, 0.0),
                };
                Expected::Histogram { count: count + 1, sum: if value.is_nan() { sum } else { sum + value } }
            }
        }
    }
}

fn same(one: f64, other: f64) -> bool {
    one == other || (one.is_nan() && other.is_nan())
}

/// Whether a scrape shows a series with this value.
pub fn is_shown(seen: &Exposition, name: &str, labels: &Labels, expected: Expected) -> bool {
    let labels: Vec<_> = labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let shows = |name: &str, value| seen.value(name, &labels).is_some_and(|shown| same(shown, value));
    match expected {
        Expected::Counter(value) => shows(name, value as f64),
        Expected::Gauge(value) => shows(name, value),
        Expected::Histogram { count, sum } => {
            shows(&format!("{name}_count"), count as f64) && shows(&format!("{name}_sum"), sum)
        }
    }
}
