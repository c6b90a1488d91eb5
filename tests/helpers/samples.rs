//! A scrape in the text format, parsed back.

use std::collections::{BTreeMap, BTreeSet};

/// One sample of a scrape.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

/// All samples of one scrape.
#[derive(Debug)]
pub(crate) struct Samples(Vec<Sample>);

impl Samples {
    /// Parses the text format 0.0.4. Panics at a line that is not of it, and at a series that comes twice.
    pub(crate) fn parse(text: &str) -> Self {
        let samples: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).map(parse_sample).collect();
        let mut seen = BTreeSet::new();
        for one in &samples {
            assert!(seen.insert((&one.name, &one.labels)), "the series {one:?} comes twice");
        }
        Self(samples)
    }

    /// The samples of a name that have all of these labels (and maybe more).
    pub(crate) fn of<'a>(
        &'a self,
        name: &'a str,
        labels: &'a [(&'a str, &'a str)],
    ) -> impl Iterator<Item = &'a Sample> {
        self.0.iter().filter(move |sample| {
            sample.name == name
                && labels.iter().all(|(key, value)| sample.labels.get(*key).is_some_and(|found| found == value))
        })
    }

    /// The value of the one sample of a name that has all of these labels.
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let found: Vec<_> = self.of(name, labels).collect();
        let [one] = &found[..] else { panic!("not one but {} samples {name} {labels:?}: {found:?}", found.len()) };
        one.value
    }

    /// The sum over all samples of a name that have these labels; 0 where there are none.
    pub(crate) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.of(name, labels).map(|sample| sample.value).sum()
    }

    /// The sums of `http_requests_total` that are not 0, as `GET /path 200`, sorted.
    pub(crate) fn requests(&self) -> Vec<(String, f64)> {
        let label = |sample: &Sample, name| sample.labels.get(name).cloned().unwrap_or_default();
        let counted = self.of("http_requests_total", &[]).filter(|sample| sample.value != 0.0);
        let mut counted: Vec<_> = counted
            .map(|one| (["method", "route", "status"].map(|name| label(one, name)).join(" "), one.value))
            .collect();
        counted.sort_by(|one, other| one.0.cmp(&other.0));
        counted
    }
}

fn parse_sample(line: &str) -> Sample {
    let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no sample: {line:?}"));
    let value = value.parse().unwrap_or_else(|error| panic!("{error} in {line:?}"));
    let (name, labels) = match series.split_once('{') {
        None => (series, BTreeMap::new()),
        Some((name, labels)) => {
            let labels = labels.strip_suffix('}').unwrap_or_else(|| panic!("labels without an end: {line:?}"));
            (name, parse_labels(labels))
        }
    };
    Sample { name: name.to_owned(), labels, value }
}

fn parse_labels(mut rest: &str) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    while !rest.is_empty() {
        let (name, after) = rest.split_once("=\"").unwrap_or_else(|| panic!("no label: {rest:?}"));
        let mut value = String::new();
        let mut characters = after.char_indices();
        let end = loop {
            match characters.next().unwrap_or_else(|| panic!("no end of the value: {rest:?}")) {
                (_, '\\') => match characters.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, other @ ('\\' | '"'))) => value.push(other),
                    other => panic!("no escape: {other:?} in {rest:?}"),
                },
                (at, '"') => break at + 1,
                (_, other) => value.push(other),
            }
        };
        assert!(labels.insert(name.to_owned(), value).is_none(), "the label {name} comes twice");
        rest = after[end..].trim_start_matches(',');
    }
    labels
}
