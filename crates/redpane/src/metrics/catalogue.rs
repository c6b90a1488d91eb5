//! The metrics of redpane itself: their names, kinds and help texts.

use std::sync::Arc;

use super::snapshot::{Family, Kind, SeriesSnapshot, Value};

/// A metric family of redpane itself.
pub(crate) struct Definition {
    pub(crate) name: &'static str,
    kind: Kind,
    unit: Option<&'static str>,
    help: &'static str,
}

impl Definition {
    const fn counter(name: &'static str, help: &'static str) -> Self {
        Self { name, kind: Kind::Counter, unit: None, help }
    }

    const fn gauge(name: &'static str, help: &'static str) -> Self {
        Self { name, kind: Kind::Gauge, unit: None, help }
    }

    const fn histogram(name: &'static str, unit: &'static str, help: &'static str) -> Self {
        Self { name, kind: Kind::Histogram, unit: Some(unit), help }
    }

    /// The family with these series.
    pub(crate) fn family(&self, series: Vec<SeriesSnapshot>) -> Family {
        Family { name: self.name.into(), kind: self.kind, help: self.help.into(), unit: self.unit, series }
    }

    /// The family with whole numbers by label text.
    pub(crate) fn integers(&self, values: impl IntoIterator<Item = (Arc<str>, u64)>) -> Family {
        let series = values.into_iter().map(|(labels, value)| SeriesSnapshot { labels, value: Value::Integer(value) });
        self.family(series.collect())
    }

    /// The family with one number and no labels.
    pub(crate) fn integer(&self, value: u64) -> Family {
        self.integers([("".into(), value)])
    }
}

pub(crate) const REQUESTS: Definition = Definition::counter("http_requests_total", "Requests finished.");
pub(crate) const DURATION: Definition = Definition::histogram(
    "http_request_duration_seconds",
    "seconds",
    "Time from a request's arrival to the end of its response body.",
);
pub(crate) const IN_FLIGHT: Definition =
    Definition::gauge("http_requests_in_flight", "Requests being served, without scrapes and health checks.");
pub(crate) const REQUEST_SIZE: Definition =
    Definition::histogram("http_request_size_bytes", "bytes", "Size of request bodies.");
pub(crate) const RESPONSE_SIZE: Definition =
    Definition::histogram("http_response_size_bytes", "bytes", "Size of response bodies.");
pub(crate) const STREAMS_IN_FLIGHT: Definition =
    Definition::gauge("http_streams_in_flight", "Answers that stream, from their headers to their end.");
pub(crate) const STREAMS: Definition = Definition::counter("http_streams_total", "Streams finished.");
pub(crate) const STREAM_DURATION: Definition = Definition::histogram(
    "http_stream_duration_seconds",
    "seconds",
    "Time from the headers of an answer that streams to its end.",
);
pub(crate) const GRPC_HANDLED: Definition =
    Definition::counter("grpc_server_handled_total", "Calls of gRPC methods finished.");
pub(crate) const CALLS: Definition =
    Definition::counter("http_client_requests_total", "Calls to other services finished.");
pub(crate) const CALL_DURATION: Definition = Definition::histogram(
    "http_client_request_duration_seconds",
    "seconds",
    "Time from a call to another service to the end of the answer's body.",
);
pub(crate) const LOG_EVENTS: Definition =
    Definition::counter("log_events_total", "Log lines made, lost ones included.");
pub(crate) const LOG_DROPPED: Definition = Definition::counter("log_lines_dropped_total", "Log lines that were lost.");
pub(crate) const LOG_SAMPLED_OUT: Definition = Definition::counter(
    "log_lines_sampled_out_total",
    "Access lines left out because sampling keeps others in their place.",
);
pub(crate) const STREAM_LINES_SAMPLED_OUT: Definition = Definition::counter(
    "log_stream_lines_sampled_out_total",
    "Lines of streams left out because sampling keeps others in their place.",
);
pub(crate) const SPANS_EXPORTED: Definition =
    Definition::counter("trace_spans_exported_total", "Spans that the receiver has taken.");
pub(crate) const SPANS_DROPPED: Definition =
    Definition::counter("trace_spans_dropped_total", "Spans that were to be exported and are lost.");
pub(crate) const SERIES: Definition = Definition::gauge("redpane_series", "Label sets of http_requests_total.");
pub(crate) const OVERFLOW: Definition = Definition::counter(
    "redpane_series_overflow_total",
    "Requests counted under the route _overflow and calls under the peer _overflow, past the series limit.",
);
pub(crate) const OTEL_DURATION: Definition =
    Definition::histogram("http_server_request_duration_seconds", "seconds", "Duration of HTTP server requests.");
pub(crate) const OTEL_ACTIVE: Definition =
    Definition::gauge("http_server_active_requests", "Number of active HTTP server requests.");
pub(crate) const OTEL_REQUEST_SIZE: Definition =
    Definition::histogram("http_server_request_body_size_bytes", "bytes", "Size of HTTP server request bodies.");
pub(crate) const OTEL_RESPONSE_SIZE: Definition =
    Definition::histogram("http_server_response_body_size_bytes", "bytes", "Size of HTTP server response bodies.");
pub(crate) const TARGET_INFO: Definition = Definition::gauge("target_info", "Target metadata.");
pub(crate) const BUILD_INFO: Definition =
    Definition::gauge("redpane_build_info", "Version and revision of the application.");

pub(crate) const PANE_BYTES: Definition =
    Definition::gauge("redpane_pane_bytes", "Memory of the pane: history, lines, spans and viewers.");

/// Those under OpenTelemetry's names. An application cannot use them while they are shown.
pub(crate) const OTEL: [&Definition; 5] =
    [&OTEL_DURATION, &OTEL_ACTIVE, &OTEL_REQUEST_SIZE, &OTEL_RESPONSE_SIZE, &TARGET_INFO];

/// All others. An application cannot use these names.
pub(crate) const OWN: [&Definition; 21] = [
    &REQUESTS,
    &DURATION,
    &IN_FLIGHT,
    &REQUEST_SIZE,
    &RESPONSE_SIZE,
    &STREAMS_IN_FLIGHT,
    &STREAMS,
    &STREAM_DURATION,
    &GRPC_HANDLED,
    &CALLS,
    &CALL_DURATION,
    &LOG_EVENTS,
    &LOG_DROPPED,
    &LOG_SAMPLED_OUT,
    &STREAM_LINES_SAMPLED_OUT,
    &SPANS_EXPORTED,
    &SPANS_DROPPED,
    &SERIES,
    &OVERFLOW,
    &BUILD_INFO,
    &PANE_BYTES,
];
