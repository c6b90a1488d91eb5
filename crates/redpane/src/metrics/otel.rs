//! The same numbers under the names of OpenTelemetry's HTTP conventions, as Prometheus spells them.

use std::sync::Arc;

use super::catalogue;
use super::endpoint_series::{EndpointSeries, StatusSeries};
use super::exemplars::Exemplar;
use super::histogram::{Bounds, Histogram, Reading};
use super::http::HttpMetrics;
use super::label_text::push_label;
use super::route::UNMATCHED;
use super::snapshot::{Family, HistogramSnapshot, SeriesSnapshot, Value};

/// Which names the HTTP metrics have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricNames {
    /// `http_requests_total`, `http_request_duration_seconds` and their siblings.
    #[default]
    Redpane,
    /// `http_server_request_duration_seconds` and its siblings, for dashboards that were made for OpenTelemetry.
    Otel,
    /// All of them: every series of a request twice.
    Both,
}

impl MetricNames {
    pub(crate) fn has_redpane(self) -> bool {
        self != Self::Otel
    }

    pub(crate) fn has_otel(self) -> bool {
        self != Self::Redpane
    }
}

/// Bounds that the conventions ask for, in seconds.
pub(crate) const OTEL_BUCKETS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// Bounds of which a histogram shows some, since it counts in finer ones.
pub(crate) struct Shown {
    bounds: Arc<Bounds>,
    /// How many of the finer buckets are in each and those before.
    ends: Vec<usize>,
}

impl Shown {
    /// Every bound of `bounds` must be one of `counted`.
    pub(crate) fn new(bounds: Arc<Bounds>, counted: &Bounds) -> Self {
        let end = |bound: &f64| counted.upper().iter().filter(|finer| *finer <= bound).count();
        let ends = bounds.upper().iter().map(end).chain([counted.buckets()]).collect();
        Self { bounds, ends }
    }

    /// A histogram as these bounds show it; of the exemplars that fall together, the latest.
    pub(crate) fn show(&self, reading: &Reading, exemplars: &[Option<Exemplar>]) -> HistogramSnapshot {
        let (mut buckets, mut latest, mut from) = (Vec::new(), Vec::new(), 0);
        for &end in &self.ends {
            buckets.push(reading.buckets[from..end].iter().sum());
            if !exemplars.is_empty() {
                latest.push(exemplars[from..end].iter().flatten().max_by_key(|exemplar| exemplar.time).copied());
            }
            from = end;
        }
        let reading = Reading { buckets, sum: reading.sum };
        HistogramSnapshot { bounds: Arc::clone(&self.bounds), reading, exemplars: latest }
    }
}

/// Two lists of bounds as one.
pub(crate) fn union(one: &[f64], other: &[f64]) -> Vec<f64> {
    let mut all = [one, other].concat();
    all.sort_by(f64::total_cmp);
    all.dedup();
    all
}

/// What names the application in `target_info`.
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) version: String,
}

/// The families of the conventions. `durations` are read once for both names.
pub(crate) fn families(
    http: &HttpMetrics,
    durations: &[(&EndpointSeries, &StatusSeries, Reading, Vec<Option<Exemplar>>)],
    shown: &Shown,
    target: &Target,
) -> Vec<Family> {
    let times = durations.iter().map(|(endpoint, status, reading, exemplars)| SeriesSnapshot {
        labels: status_labels(http, endpoint, status.status),
        value: Value::Histogram(shown.show(reading, exemplars)),
    });
    let sizes = |of: fn(&EndpointSeries) -> &Histogram| {
        let series = |endpoint: &EndpointSeries| SeriesSnapshot {
            labels: labels(http, endpoint).into(),
            value: Value::Histogram(HistogramSnapshot {
                bounds: Arc::clone(of(endpoint).bounds()),
                reading: of(endpoint).read(),
                exemplars: Vec::new(),
            }),
        };
        http.endpoints().map(series).collect()
    };
    let mut named = String::new();
    for (name, value) in [
        ("service_name", target.name.as_str()),
        ("service_version", &target.version),
        ("telemetry_sdk_language", "rust"),
        ("telemetry_sdk_name", "redpane"),
        ("telemetry_sdk_version", env!("CARGO_PKG_VERSION")),
    ] {
        push_label(&mut named, name, value);
    }
    vec![
        catalogue::OTEL_DURATION.family(times.collect()),
        catalogue::OTEL_ACTIVE.integer(http.in_flight.get()),
        catalogue::OTEL_REQUEST_SIZE.family(sizes(|endpoint| &endpoint.request_sizes)),
        catalogue::OTEL_RESPONSE_SIZE.family(sizes(|endpoint| &endpoint.response_sizes)),
        catalogue::TARGET_INFO.integers([(named.into(), 1)]),
    ]
}

/// The route is left out where there is none.
fn labels(http: &HttpMetrics, endpoint: &EndpointSeries) -> String {
    let mut labels = String::new();
    push_label(&mut labels, "http_request_method", endpoint.info.method);
    if &*endpoint.info.route != UNMATCHED {
        push_label(&mut labels, "http_route", &endpoint.info.route);
    }
    push_label(&mut labels, "url_scheme", http.dimensions().scheme(endpoint.number));
    let declared = http.dimensions().label_text(endpoint.number);
    if !declared.is_empty() {
        labels.extend([",", declared]);
    }
    labels
}

/// 499 stands for a status that was not sent.
fn status_labels(http: &HttpMetrics, endpoint: &EndpointSeries, status: u16) -> Arc<str> {
    let mut labels = labels(http, endpoint);
    let text = status.to_string();
    match status {
        499 => push_label(&mut labels, "error_type", "aborted"),
        _ => push_label(&mut labels, "http_response_status_code", &text),
    }
    if status >= 500 {
        push_label(&mut labels, "error_type", &text);
    }
    labels.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::histogram::Scale;

    #[test]
    fn finer_buckets_fall_together() {
        let bounds = |upper: &[f64]| Bounds::new(upper, Scale::Nanoseconds).unwrap();
        assert_eq!(union(&[0.1, 1.0], &[0.1, 0.5, 2.0]), [0.1, 0.5, 1.0, 2.0]);
        let shown = Shown::new(bounds(&[0.1, 1.0]), &bounds(&[0.1, 0.5, 1.0, 2.0]));
        let snapshot = shown.show(&Reading { buckets: vec![1, 2, 3, 4, 5], sum: 9.0 }, &[]);
        assert_eq!(snapshot.reading, Reading { buckets: vec![1, 5, 9], sum: 9.0 });
    }
}
