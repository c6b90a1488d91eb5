//! What a scraper reads: the text format 0.0.4 and OpenMetrics 1.0.
//!
//! [`parse`] reads both. [`Exposition`] answers by exact label sets and knows the families; [`Samples`] answers by some of
//! the labels, for tests that care about the numbers alone.

mod lexical;
mod parser;
mod recorded;
mod rules;
mod samples;

use redpane::ExpositionFormat;

pub use lexical::Labels;
pub use parser::parse;
pub use recorded::{Act, Expected, Operation, is_shown};
pub use samples::Samples;

/// All families of one scrape, in their order.
#[derive(Debug, Default)]
pub struct Exposition {
    /// In the order of the text.
    pub families: Vec<Family>,
}

/// The samples that belong together, and what is said of them.
#[derive(Debug)]
pub struct Family {
    /// As `# TYPE` names it: in OpenMetrics without the suffix `_total`.
    pub name: String,
    /// `counter`, `gauge`, `histogram`, or the format's word for an unknown type.
    pub kind: String,
    /// The help text, its escapes resolved.
    pub help: Option<String>,
    /// In the order of the text.
    pub samples: Vec<Sample>,
}

/// One line with a value.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The name with its suffix: `…_bucket`, `…_total`.
    pub name: String,
    /// Every label, `le` included.
    pub labels: Labels,
    /// The value.
    pub value: f64,
    /// The exemplar behind it, in OpenMetrics.
    pub exemplar: Option<Exemplar>,
}

/// An exemplar of a histogram's bucket.
#[derive(Clone, Debug)]
pub struct Exemplar {
    /// `trace_id` and whatever else there is.
    pub labels: Labels,
    /// The observed value.
    pub value: f64,
}

impl Exposition {
    /// Parses a text that must be valid.
    ///
    /// # Panics
    /// If it is not, showing what is wrong and all of the text.
    pub fn of(text: &str, format: ExpositionFormat) -> Self {
        parse(text, format).unwrap_or_else(|error| panic!("{format:?}: {error}\n{text}"))
    }

    /// The family of this name.
    pub fn family(&self, name: &str) -> Option<&Family> {
        self.families.iter().find(|family| family.name == name)
    }

    /// All samples of this very name.
    pub fn samples(&self, name: &str) -> Vec<&Sample> {
        self.families.iter().flat_map(|family| &family.samples).filter(|sample| sample.name == name).collect()
    }

    /// The value of the one sample with this name and exactly these labels.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels: Labels = labels.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        self.samples(name).into_iter().find(|sample| sample.labels == labels).map(|sample| sample.value)
    }

    /// The sum over all label sets.
    pub fn sum(&self, name: &str) -> f64 {
        self.samples(name).iter().map(|sample| sample.value).sum()
    }
}
