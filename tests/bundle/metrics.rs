//! Metrics that exist, with their labels: the service's own from a running service, the recording rules' from their
//! file, those of Prometheus, Loki, Promtail and Grafana from `known_metrics.txt`.

use std::collections::{BTreeMap, BTreeSet};

use crate::files::Bundle;
use crate::findings::Findings;
use crate::queries::rules;

/// One name a query may use.
#[derive(Debug, Default, Clone)]
pub(crate) struct Metric {
    pub(crate) labels: BTreeSet<String>,
    /// Values of `le` seen; empty where they are not known.
    pub(crate) bounds: BTreeSet<String>,
}

#[derive(Debug, Default)]
pub(crate) struct Known(BTreeMap<String, Metric>);

/// Prometheus adds these to every series of a target.
const TARGET_LABELS: [&str; 3] = ["app", "instance", "job"];

impl Known {
    /// Everything a query of the bundle may name. `service` are the metrics of the service itself.
    pub(crate) fn of(bundle: &Bundle, service: &Known, findings: &mut Findings) -> Self {
        let mut known = Self(service.0.clone());
        known.read_list(include_str!("known_metrics.txt"));
        if let Some(value) = bundle.value("prometheus-rules.yml", findings) {
            for (path, rule) in rules(&value) {
                let name = rule["record"].as_str().unwrap_or_default();
                match recorded_labels(name) {
                    Some(labels) => known.add(name, labels.iter().copied()),
                    None => findings.add(
                        "prometheus-rules.yml",
                        &format!("{path}.record"),
                        "must be named app:metric:operation, or with app_job, app_route or app_route_le in the place of app",
                    ),
                }
            }
        }
        known
    }

    /// The series of an answer of `/metrics` in the text format.
    pub(crate) fn from_exposition(text: &str) -> Self {
        let mut known = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (name, rest) = line.split_at(line.find(['{', ' ']).unwrap_or(line.len()));
            let metric = known.0.entry(name.to_owned()).or_default();
            metric.labels.extend(TARGET_LABELS.map(str::to_owned));
            for (label, value) in labels(rest) {
                if label == "le" {
                    metric.bounds.insert(value);
                }
                metric.labels.insert(label);
            }
        }
        known
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Metric> {
        self.0.get(name)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    fn add<'a>(&mut self, name: &str, labels: impl Iterator<Item = &'a str>) {
        let metric = self.0.entry(name.to_owned()).or_default();
        metric.labels.extend(labels.chain(TARGET_LABELS).map(str::to_owned));
    }

    /// Lines `name type label...`; `#` starts a comment.
    fn read_list(&mut self, list: &str) {
        for line in list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let mut words = line.split(' ');
            let (name, kind) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let labels: Vec<&str> = words.collect();
            let suffixes: &[(&str, Option<&str>)] = match kind {
                "histogram" => &[("_bucket", Some("le")), ("_sum", None), ("_count", None)],
                "summary" => &[("", Some("quantile")), ("_sum", None), ("_count", None)],
                _ => &[("", None)],
            };
            for (suffix, extra) in suffixes {
                self.add(&format!("{name}{suffix}"), labels.iter().copied().chain(*extra));
            }
        }
    }
}

/// The labels a recording rule's name promises; none for a name of another form.
fn recorded_labels(name: &str) -> Option<&'static [&'static str]> {
    let (level, rest) = name.split_once(':')?;
    rest.contains(':').then_some(())?;
    match level {
        "app" => Some(&["app"]),
        "app_integration" => Some(&["app", "integration"]),
        "app_job" => Some(&["app", "job"]),
        "app_reason" => Some(&["app", "reason"]),
        "app_route" => Some(&["app", "method", "route"]),
        "app_route_le" => Some(&["app", "route", "le"]),
        _ => None,
    }
}

/// `{name="value",…}` as pairs; values may hold commas, braces and escaped quotes.
fn labels(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text.strip_prefix('{').unwrap_or("");
    while let Some((name, after)) = rest.split_once("=\"") {
        let mut end = 0;
        let bytes = after.as_bytes();
        while end < bytes.len() && bytes[end] != b'"' {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        let Some(value) = after.get(..end) else { break };
        found.push((name.trim_start_matches([',', ' ']).to_owned(), value.to_owned()));
        rest = after.get(end + 1..).unwrap_or("");
        if rest.starts_with('}') {
            break;
        }
    }
    found
}

#[test]
fn the_text_format_is_read_with_labels_and_bounds() {
    let text = "# TYPE a histogram\na_bucket{route=\"/{x},\\\"y\\\"\",le=\"0.25\"} 1 # {trace_id=\"no\"} 2\nup 1\n";
    let known = Known::from_exposition(text);
    let bucket = known.get("a_bucket").unwrap();
    assert!(bucket.labels.contains("route") && bucket.bounds.contains("0.25"));
    assert!(!bucket.labels.contains("trace_id"));
    assert!(known.get("up").is_some());
}
