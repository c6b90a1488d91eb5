//! What an application recorded, and how a scrape must show it: written down without a look at the recorder.

use metrics::{Key, Label, Metadata, Recorder};

use super::parser::Exposition;
use super::parts::Labels;

#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) name: String,
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) act: Act,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    Increment(u32),
    Set(f64),
    Record(f64),
}

/// What one series adds up to. Its name as it should be shown, and its labels, are the key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Expected {
    Counter(u64),
    Gauge(f64),
    Histogram { count: u64, sum: f64 },
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
    pub(crate) fn perform(&self, recorder: &impl Recorder) {
        const METADATA: Metadata<'static> = Metadata::new("test", metrics::Level::INFO, None);
        let labels: Vec<_> = self.labels.iter().map(|(name, value)| Label::new(name.clone(), value.clone())).collect();
        let key = Key::from_parts(self.name.clone(), labels);
        match self.act {
            Act::Increment(by) => recorder.register_counter(&key, &METADATA).increment(by.into()),
            Act::Set(to) => recorder.register_gauge(&key, &METADATA).set(to),
            Act::Record(value) => recorder.register_histogram(&key, &METADATA).record(value),
        }
    }

    pub(crate) fn shown(&self) -> (String, Labels) {
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

    pub(crate) fn add(&self, earlier: Option<Expected>) -> Expected {
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

pub(crate) fn is_shown(seen: &Exposition, name: &str, labels: &Labels, expected: Expected) -> bool {
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
