//! What a pane gets of its telemetry.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use tracing::Level;

use crate::logs::directives::parse_log_filter;
use crate::logs::log::Log;
use crate::metrics::registry::{EndpointReading, Registry};
use crate::metrics::snapshot::{self, HistogramSnapshot};
use crate::pane::input::{Endpoint, Family, FilterState, Host, Kind, Series, Snapshot, Value};
use crate::pane::span::Span;

/// The telemetry behind a pane.
pub(crate) struct PaneSource {
    pub(crate) registry: Arc<Registry>,
    pub(crate) log: Arc<Log>,
}

impl Host for PaneSource {
    fn snapshot(&self, application: bool) -> Snapshot {
        // First: a hook may count requests too.
        let recorded = if application { self.registry.snapshot_of_application() } else { Vec::new() };
        let (endpoints, mut families) = self.registry.snapshot_by_endpoint();
        let application = recorded.iter().map(|family| family.series.len()).sum();
        families.extend(recorded);
        let families = families.into_iter().map(family).collect();
        Snapshot { endpoints: by_method_and_route(&endpoints), families, application }
    }

    fn filter(&self) -> FilterState {
        let (directives, until) = self.log.filter().state();
        let until_ms = until.and_then(|until| until.duration_since(UNIX_EPOCH).ok());
        FilterState {
            directives,
            configured: self.log.filter().configured().to_string(),
            events: self.log.has_layer(),
            until_ms: until_ms.and_then(|until| u64::try_from(until.as_millis()).ok()),
        }
    }

    fn set_filter(&self, directives: &str, time: Duration) -> Result<(), String> {
        let directives = parse_log_filter(directives).map_err(|error| format!("directives: {error}"))?;
        self.log.set_filter(directives, time).map_err(|error| error.to_string())
    }

    fn restore_filter(&self) {
        self.log.restore_filter(false);
    }

    fn warn(&self, message: &str, detail: &str) {
        self.log.tell_of_pane(Level::WARN, message, ("detail", detail));
    }

    #[cfg(not(feature = "otlp"))]
    fn decode_spans(&self, _: &[u8], _: &str) -> Vec<Span> {
        Vec::new()
    }

    #[cfg(feature = "otlp")]
    fn decode_spans(&self, batch: &[u8], trace_id: &str) -> Vec<Span> {
        use crate::traces::decode::{DecodedValue, spans_of};

        let value = |value: DecodedValue| match value {
            DecodedValue::Text(text) => text.into(),
            DecodedValue::Bool(value) => value.into(),
            DecodedValue::Integer(value) => value.into(),
            DecodedValue::Float(value) => value.into(),
        };
        let span = |span: crate::traces::decode::DecodedSpan| Span {
            span_id: span.span_id,
            parent_span_id: Some(span.parent_span_id).filter(|id| !id.is_empty()),
            name: span.name,
            kind: match span.kind {
                2 => "server",
                3 => "client",
                _ => "internal",
            },
            start_ms: (span.start / 1000) as f64 / 1e3,
            duration_seconds: span.end.saturating_sub(span.start) as f64 / 1e9,
            error: span.is_error,
            status_message: span.status_message,
            attributes: span.attributes.into_iter().map(|(key, found)| (key, value(found))).collect(),
            source: "span",
        };
        spans_of(batch, trace_id).into_iter().map(span).collect()
    }
}

fn family(family: snapshot::Family) -> Family {
    let value = |value: snapshot::Value| match value {
        snapshot::Value::Integer(value) => Value::Number(value as f64),
        snapshot::Value::Text(text) => Value::Number(text.parse().unwrap_or(f64::NAN)),
        snapshot::Value::Histogram(HistogramSnapshot { bounds, reading, .. }) => {
            Value::Histogram { bounds, buckets: reading.buckets }
        }
    };
    let series = |series: snapshot::SeriesSnapshot| Series { labels: series.labels, value: value(series.value) };
    Family {
        name: family.name,
        kind: match family.kind {
            snapshot::Kind::Counter => Kind::Counter,
            snapshot::Kind::Gauge => Kind::Gauge,
            snapshot::Kind::Histogram => Kind::Histogram,
        },
        help: family.help,
        unit: family.unit,
        series: family.series.into_iter().map(series).collect(),
    }
}

/// Sums of those that differ in declared labels or their scheme alone, in the order in which they came.
fn by_method_and_route(readings: &[EndpointReading<'_>]) -> Vec<Endpoint> {
    let mut places = HashMap::new();
    let mut endpoints: Vec<Endpoint> = Vec::new();
    for reading in readings {
        let (method, route) = (reading.endpoint.info.method, &*reading.endpoint.info.route);
        let place = *places.entry((method, route)).or_insert_with(|| {
            let buckets = vec![0; reading.statuses.first().map_or(0, |(_, buckets)| buckets.len())];
            let (method, route) = (method.to_owned(), route.to_owned());
            endpoints.push(Endpoint { method, route, classes: [0; 4], failed_calls: 0, buckets });
            endpoints.len() - 1
        });
        let endpoint = &mut endpoints[place];
        endpoint.failed_calls += reading.failed_calls;
        for (status, buckets) in &reading.statuses {
            let class = match status {
                ..300 => 0,
                300..400 => 1,
                400..500 => 2,
                500.. => 3,
            };
            endpoint.classes[class] += buckets.iter().sum::<u64>();
            endpoint.buckets.iter_mut().zip(buckets).for_each(|(sum, count)| *sum += count);
        }
    }
    endpoints
}
