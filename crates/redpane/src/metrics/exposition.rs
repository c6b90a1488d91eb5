//! The exposition: everything there is to scrape, as text 0.0.4 or OpenMetrics 1.0.
//!
//! The HTTP metrics are read once into memory, then written: `http_requests_total` and the histogram of a label set
//! come from the same reading.

use std::fmt::Write as _;
use std::sync::Arc;

use super::endpoint::EndpointSeries;
use super::exemplars::Exemplar;
use super::foreign;
use super::histogram::{Bounds, Histogram, Reading};
use crate::logs::sink::DropReason;
use crate::telemetry::Shared;

/// The format of a scrape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExpositionFormat {
    /// Prometheus' text format, version 0.0.4.
    Text,
    /// OpenMetrics 1.0, with exemplars.
    OpenMetrics,
}

/// A metric family of redpane itself.
pub(super) struct OwnFamily {
    pub(super) name: &'static str,
    kind: &'static str,
    help: &'static str,
}

const fn own(name: &'static str, kind: &'static str, help: &'static str) -> OwnFamily {
    OwnFamily { name, kind, help }
}

const REQUESTS: OwnFamily = own("http_requests_total", "counter", "Requests finished.");
const DURATION: OwnFamily =
    own("http_request_duration_seconds", "histogram", "Time from a request's arrival to the end of its response body.");
const IN_FLIGHT: OwnFamily = own("http_requests_in_flight", "gauge", "Requests being served.");
const REQUEST_SIZE: OwnFamily = own("http_request_size_bytes", "histogram", "Size of request bodies.");
const RESPONSE_SIZE: OwnFamily = own("http_response_size_bytes", "histogram", "Size of response bodies.");
const LOG_EVENTS: OwnFamily = own("log_events_total", "counter", "Log lines made, lost ones included.");
const LOG_DROPPED: OwnFamily = own("log_lines_dropped_total", "counter", "Log lines that were lost.");
const SERIES: OwnFamily = own("redpane_series", "gauge", "Label sets of http_requests_total.");
const OVERFLOW: OwnFamily = own(
    "redpane_series_overflow_total",
    "counter",
    "Requests counted under the route _overflow, past the series limit.",
);
const BUILD_INFO: OwnFamily = own("redpane_build_info", "gauge", "Version and revision of the application.");

pub(super) const OWN_FAMILIES: [OwnFamily; 10] =
    [REQUESTS, DURATION, IN_FLIGHT, REQUEST_SIZE, RESPONSE_SIZE, LOG_EVENTS, LOG_DROPPED, SERIES, OVERFLOW, BUILD_INFO];

/// Writes everything. Takes milliseconds where there are thousands of series: not for an async worker.
pub(crate) fn render(telemetry: &Shared, format: ExpositionFormat, capacity: usize) -> String {
    let mut exposition = Exposition { out: String::with_capacity(capacity), format };
    exposition.http(telemetry);
    exposition.own_health(telemetry);
    let histograms = telemetry.recorder.histograms();
    for family in &histograms {
        let help = family.help.as_deref().unwrap_or("");
        exposition.header(&family.name, "histogram", help);
        for (labels, histogram) in &family.series {
            let le = LeLabels::new(histogram.bounds(), format);
            exposition.histogram(&family.name, labels, &histogram.read(), &le, |_| None);
        }
    }
    let others = OWN_FAMILIES.iter().map(|family| family.name).chain(histograms.iter().map(|family| &*family.name));
    foreign::write(&mut exposition.out, &telemetry.recorder.render_counters_and_gauges(), others.collect(), format);
    if format == ExpositionFormat::OpenMetrics {
        exposition.out.push_str("# EOF\n");
    }
    exposition.out
}

/// Appends `name="value"` to a label text, escaped, with a comma where one is due.
pub(crate) fn label(labels: &mut String, name: &str, value: &str) {
    if !labels.is_empty() {
        labels.push(',');
    }
    pair(labels, name, value);
}

/// Appends `name="value"`, the value escaped as both formats ask for it.
pub(crate) fn pair(labels: &mut String, name: &str, value: &str) {
    labels.push_str(name);
    labels.push_str("=\"");
    for character in value.chars() {
        match character {
            '\\' => labels.push_str("\\\\"),
            '"' => labels.push_str("\\\""),
            '\n' => labels.push_str("\\n"),
            other => labels.push(other),
        }
    }
    labels.push('"');
}

/// `le="…"} ` of every bucket, made once for all series of a family.
struct LeLabels(Vec<String>);

impl LeLabels {
    fn new(bounds: &Bounds, format: ExpositionFormat) -> Self {
        let shown = |bound: &f64| match format {
            ExpositionFormat::Text => format!("le=\"{bound}\"}} "),
            // OpenMetrics wants what is a float to look like one: 1.0, not 1.
            ExpositionFormat::OpenMetrics => format!("le=\"{bound:?}\"}} "),
        };
        let infinity = "le=\"+Inf\"} ".to_owned();
        Self(bounds.upper().iter().map(shown).chain([infinity]).collect())
    }
}

struct Exposition {
    out: String,
    format: ExpositionFormat,
}

impl Exposition {
    fn http(&mut self, telemetry: &Shared) {
        let series = telemetry.http.series();
        let statuses: Vec<_> = series.iter().flat_map(|endpoint| endpoint.statuses()).collect();
        let readings: Vec<_> = statuses.iter().map(|status| status.durations.read()).collect();

        self.own_header(&REQUESTS);
        for (status, reading) in statuses.iter().zip(&readings) {
            self.sample(REQUESTS.name, "", &status.labels, reading.count());
        }
        self.own_header(&DURATION);
        let le = LeLabels::new(telemetry.http.duration_bounds(), self.format);
        for (status, reading) in statuses.iter().zip(&readings) {
            self.histogram(DURATION.name, &status.labels, reading, &le, |bucket| status.exemplars.get(bucket));
        }
        self.own_header(&IN_FLIGHT);
        self.sample(IN_FLIGHT.name, "", "", telemetry.http.in_flight.get());
        self.sizes(&REQUEST_SIZE, &series, telemetry, |endpoint| &endpoint.request_sizes);
        self.sizes(&RESPONSE_SIZE, &series, telemetry, |endpoint| &endpoint.response_sizes);
    }

    fn sizes(
        &mut self,
        family: &OwnFamily,
        series: &[Arc<EndpointSeries>],
        telemetry: &Shared,
        of: impl Fn(&EndpointSeries) -> &Histogram,
    ) {
        self.own_header(family);
        let le = LeLabels::new(telemetry.http.size_bounds(), self.format);
        for endpoint in series {
            self.histogram(family.name, &endpoint.labels, &of(endpoint).read(), &le, |_| None);
        }
    }

    fn own_health(&mut self, telemetry: &Shared) {
        let counts = telemetry.sink.counts();
        self.own_header(&LOG_EVENTS);
        for (level, count) in ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"].iter().zip(counts.events) {
            self.sample(LOG_EVENTS.name, "", &format!("level=\"{level}\""), count);
        }
        self.own_header(&LOG_DROPPED);
        for (reason, count) in DropReason::NAMES.iter().zip(counts.dropped) {
            self.sample(LOG_DROPPED.name, "", &format!("reason=\"{reason}\""), count);
        }
        self.own_header(&SERIES);
        self.sample(SERIES.name, "", "", telemetry.http.label_sets() as u64);
        self.own_header(&OVERFLOW);
        self.sample(OVERFLOW.name, "", "", telemetry.http.overflowed());
        self.own_header(&BUILD_INFO);
        self.sample(BUILD_INFO.name, "", &telemetry.build_labels, 1);
    }

    fn own_header(&mut self, family: &OwnFamily) {
        let name = match (self.format, family.kind) {
            (ExpositionFormat::OpenMetrics, "counter") => family.name.trim_end_matches("_total"),
            _ => family.name,
        };
        self.header(name, family.kind, family.help);
    }

    fn header(&mut self, name: &str, kind: &str, help: &str) {
        if !help.is_empty() {
            self.out.extend(["# HELP ", name, " "]);
            for character in help.chars() {
                match character {
                    '\\' => self.out.push_str("\\\\"),
                    '\n' => self.out.push_str("\\n"),
                    '"' if self.format == ExpositionFormat::OpenMetrics => self.out.push_str("\\\""),
                    other => self.out.push(other),
                }
            }
            self.out.push('\n');
        }
        self.out.extend(["# TYPE ", name, " ", kind, "\n"]);
    }

    fn sample(&mut self, name: &str, suffix: &str, labels: &str, value: u64) {
        self.series(name, suffix, labels);
        self.integer(value);
        self.out.push('\n');
    }

    fn series(&mut self, name: &str, suffix: &str, labels: &str) {
        self.out.push_str(name);
        self.out.push_str(suffix);
        if labels.is_empty() {
            self.out.push(' ');
        } else {
            self.out.push('{');
            self.out.push_str(labels);
            self.out.push_str("} ");
        }
    }

    fn integer(&mut self, value: u64) {
        self.out.push_str(itoa::Buffer::new().format(value));
    }

    fn histogram(
        &mut self,
        name: &str,
        labels: &str,
        reading: &Reading,
        le: &LeLabels,
        exemplar: impl Fn(usize) -> Option<Exemplar>,
    ) {
        let mut cumulative = 0;
        for (bucket, (le, count)) in le.0.iter().zip(&reading.buckets).enumerate() {
            cumulative += count;
            self.out.push_str(name);
            self.out.push_str("_bucket{");
            self.out.push_str(labels);
            if !labels.is_empty() {
                self.out.push(',');
            }
            self.out.push_str(le);
            self.integer(cumulative);
            if self.format == ExpositionFormat::OpenMetrics
                && *count > 0
                && let Some(exemplar) = exemplar(bucket)
            {
                self.exemplar(&exemplar);
            }
            self.out.push('\n');
        }
        self.series(name, "_sum", labels);
        // Writing to a String cannot fail.
        let _ = match reading.sum {
            f64::INFINITY => writeln!(self.out, "+Inf"),
            f64::NEG_INFINITY => writeln!(self.out, "-Inf"),
            sum => writeln!(self.out, "{sum:?}"),
        };
        self.sample(name, "_count", labels, cumulative);
    }

    fn exemplar(&mut self, exemplar: &Exemplar) {
        let seconds = exemplar.nanoseconds as f64 / 1e9;
        let (time, milliseconds) = (exemplar.time / 1000, exemplar.time % 1000);
        let _ = write!(self.out, " # {{trace_id=\"{}\"}} {seconds:?} {time}.{milliseconds:03}", exemplar.trace_id);
    }
}
