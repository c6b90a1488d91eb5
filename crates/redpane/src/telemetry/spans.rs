//! The export of spans of a telemetry.

use std::io;
use std::sync::Arc;

use crate::logs::log::Log;
use crate::metrics::catalogue;
use crate::metrics::snapshot::Family;
use crate::trace_context::ids::TraceId;
use crate::traces::batch::SpanBuffer;
use crate::traces::config::Otlp;
use crate::traces::counts::DropReason;
use crate::traces::export::Tap;
use crate::traces::recorder::Traces;

/// Starts the export of spans where there is one, and makes the log wait for it at the end.
pub(super) fn start(
    otlp: Option<Otlp>,
    app: &str,
    version: &str,
    log: &Arc<Log>,
    tap: Option<Tap>,
) -> io::Result<Option<Arc<Traces>>> {
    let Some(otlp) = otlp else { return Ok(None) };
    for note in &otlp.notes {
        log.warn_of_spans("a setting of traces is not supported", note, 0);
    }
    if otlp.is_off {
        return Ok(None);
    }
    // Checked with all other options.
    let Ok(checked) = otlp.check() else { return Ok(None) };
    let attribute = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let resource = vec![
        attribute("service.name", app),
        attribute("service.version", version),
        attribute("service.instance.id", TraceId::random().as_str()),
        attribute("telemetry.sdk.name", "redpane"),
        attribute("telemetry.sdk.language", "rust"),
        attribute("telemetry.sdk.version", env!("CARGO_PKG_VERSION")),
    ];
    let reporting = Arc::clone(log);
    let report = move |what: &'static str, why: &str, spans| reporting.warn_of_spans(what, why, spans);
    let traces = Traces::start(otlp, checked, resource, Box::new(report), tap)?;
    let buffer = Arc::clone(traces.buffer());
    log.flush_before(Box::new(move |log, deadline| match buffer.flush(deadline) {
        Ok(()) => true,
        Err(spans) => {
            log.warn_of_spans("spans were lost at the end", "the receiver did not take them in time", spans);
            false
        }
    }));
    Ok(Some(Arc::new(traces)))
}

/// What the export of spans counts.
pub(super) fn families(spans: &SpanBuffer) -> [Family; 2] {
    let counts = spans.counts();
    let dropped = DropReason::NAMES.iter().zip(counts.dropped);
    let dropped = dropped.map(|(reason, count)| (format!("reason=\"{reason}\"").into(), count));
    [catalogue::SPANS_EXPORTED.integer(counts.exported), catalogue::SPANS_DROPPED.integers(dropped)]
}
