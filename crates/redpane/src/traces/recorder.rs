//! Spans of one telemetry: decides which are kept, and hands them to the buffer.

use std::cell::Cell;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Uri};
use tracing::Level;

use super::batch::{BATCH_BYTES, Limits, SpanBuffer};
use super::config::{BUFFER_BYTES, Otlp, TraceKeep};
use super::export::{self, Exporter, Report};
use super::resource::Envelope;
use super::sampler::Sampler;
use super::span::encode_server;
use super::transport::{Target, Transport};
use crate::request::context::TraceSampler;
use crate::request::finished::{FinishedRequest, Outcome, RequestSpans};
use crate::trace_context::ids::TraceId;

thread_local! {
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Makes the spans of one telemetry. When it is dropped, what waits gets one more attempt.
pub(crate) struct Traces {
    buffer: Arc<SpanBuffer>,
    sampler: Sampler,
    keep: TraceKeep,
}

impl Traces {
    /// Starts the thread that exports. `resource` is what the spans come from, unless the configuration says otherwise.
    ///
    /// # Errors
    /// If the system refuses the thread, or an `https://` endpoint its certificates.
    pub(crate) fn start(
        otlp: Otlp,
        (endpoint, headers): (Uri, HeaderMap),
        mut resource: Vec<(String, String)>,
        report: Report,
    ) -> io::Result<Self> {
        let buffer = Arc::new(SpanBuffer::new(Limits {
            bytes: BUFFER_BYTES,
            spans: otlp.max_spans,
            batch_spans: otlp.batch_spans,
            delay: otlp.delay,
        }));
        resource.extend(otlp.resource);
        export::spawn(Exporter {
            buffer: Arc::clone(&buffer),
            transport: Transport::new(Target { endpoint, headers, gzip: otlp.gzip, timeout: otlp.timeout })?,
            envelope: Envelope::new(&resource),
            give_up_after: otlp.give_up_after,
            report,
        })?;
        Ok(Self { buffer, sampler: otlp.sampler, keep: otlp.keep })
    }

    /// For the counters, and for flushes: outlives this.
    pub(crate) fn buffer(&self) -> &Arc<SpanBuffer> {
        &self.buffer
    }

    fn keeps(&self, request: &FinishedRequest<'_>) -> bool {
        if request.endpoint.log_failures_only && request.level() == Level::INFO {
            return false;
        }
        let is_bad = || request.level() == Level::ERROR || request.outcome == Outcome::Timeout;
        let is_slow = |slow: Duration| request.duration() >= slow;
        request.context.flags() != 0 || (self.keep.errors && is_bad()) || self.keep.slow.is_some_and(is_slow)
    }
}

impl TraceSampler for Traces {
    fn samples(&self, trace_id: &TraceId, caller: Option<bool>) -> bool {
        self.sampler.samples(trace_id, caller)
    }
}

impl RequestSpans for Traces {
    fn finished(&self, request: &FinishedRequest<'_>) -> bool {
        if !self.keeps(request) {
            return false;
        }
        // Encoded outside of the lock. A thread that is ending may have destroyed its spare.
        let mut span = SPARE.try_with(Cell::take).unwrap_or_default();
        span.clear();
        encode_server(&mut span, &request.endpoint.span, request);
        let taken = self.buffer.append(&span);
        if span.capacity() < BATCH_BYTES {
            let _ = SPARE.try_with(|spare| spare.set(span));
        }
        taken
    }

    fn sampler(&self) -> &dyn TraceSampler {
        self
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        self.buffer.close();
    }
}
