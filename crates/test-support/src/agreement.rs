//! The heart of the tests: the metric sample, the access line and the answer of a request say the same.

use crate::{Line, Observed, Samples};

impl Observed {
    /// Waits for the end of the only request, checks that its sample and its line agree, and gives the line.
    pub async fn only_request(&self) -> Line {
        let line = self.access_lines(1).await.remove(0);
        let samples = self.samples();
        agree(&samples, &line);
        let lines = self.lines();
        assert_eq!(samples.sum("log_events_total", &[]), lines.len() as f64, "every line is counted: {lines:#?}");
        line
    }
}

/// Asserts that the samples are those of one request, the one that this access line is about.
fn agree(samples: &Samples, line: &Line) {
    let status = line["status"].to_string();
    let route = [("method", line.str("method")), ("route", line.str("route"))];
    let labels = [route[0], route[1], ("status", &status)];
    let counter = "http_requests_total";
    assert_eq!(samples.sum(counter, &[]), 1.0, "one request is counted in all: {:?}", samples.requests());
    assert_eq!(samples.value(counter, &labels), 1.0, "it is counted where its line says: {:?}", samples.requests());

    let duration = |suffix: &str| format!("http_request_duration_seconds{suffix}");
    let infinite = [labels[0], labels[1], labels[2], ("le", "+Inf")];
    assert_eq!(samples.value(&duration("_count"), &labels), 1.0);
    assert_eq!(samples.value(&duration("_bucket"), &infinite), 1.0);
    assert_eq!(samples.sum(&duration("_count"), &[]), 1.0);
    assert_eq!(Some(samples.value(&duration("_sum"), &labels)), line["duration_seconds"].as_f64());

    for (metric, field) in
        [("http_request_size_bytes", "request_bytes"), ("http_response_size_bytes", "response_bytes")]
    {
        let (sum, count) = (format!("{metric}_sum"), format!("{metric}_count"));
        let bytes = line[field].as_f64();
        assert_eq!(samples.value(&count, &route), if bytes.is_some() { 1.0 } else { 0.0 }, "{metric}");
        assert_eq!(samples.value(&sum, &route), bytes.unwrap_or(0.0), "{metric}");
        assert_eq!(samples.sum(&sum, &[]), bytes.unwrap_or(0.0), "{metric}");
    }
    assert_eq!(samples.value("http_requests_in_flight", &[]), 0.0);
}
