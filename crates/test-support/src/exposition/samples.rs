//! A scrape in the text format, and the values in it.

use redpane::ExpositionFormat;

use super::{Exposition, Sample};

/// All samples of one scrape.
#[derive(Debug)]
pub struct Samples(Vec<Sample>);

impl Samples {
    /// Parses the text format 0.0.4.
    ///
    /// # Panics
    /// If it is not valid.
    pub fn parse(text: &str) -> Self {
        let exposition = Exposition::of(text, ExpositionFormat::Text);
        Self(exposition.families.into_iter().flat_map(|family| family.samples).collect())
    }

    /// The samples of a name that have all of these labels (and maybe more).
    pub fn of<'a>(&'a self, name: &'a str, labels: &'a [(&'a str, &'a str)]) -> impl Iterator<Item = &'a Sample> {
        self.0.iter().filter(move |sample| {
            sample.name == name
                && labels.iter().all(|(key, value)| sample.labels.get(*key).is_some_and(|found| found == value))
        })
    }

    /// The value of the one sample of a name that has all of these labels (and maybe more).
    ///
    /// # Panics
    /// If there is none, or more than one.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let found: Vec<_> = self.of(name, labels).collect();
        let [one] = &found[..] else { panic!("not one but {} samples {name} {labels:?}: {found:?}", found.len()) };
        one.value
    }

    /// The sum over all samples of a name that have these labels; 0 where there are none.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.of(name, labels).map(|sample| sample.value).sum()
    }

    /// The sums of `http_requests_total` that are not 0, as `GET /path 200`, sorted.
    pub fn requests(&self) -> Vec<(String, f64)> {
        let label = |sample: &Sample, name| sample.labels.get(name).cloned().unwrap_or_default();
        let counted = self.of("http_requests_total", &[]).filter(|sample| sample.value != 0.0);
        let mut counted: Vec<_> = counted
            .map(|one| (["method", "route", "status"].map(|name| label(one, name)).join(" "), one.value))
            .collect();
        counted.sort_by(|one, other| one.0.cmp(&other.0));
        counted
    }
}
