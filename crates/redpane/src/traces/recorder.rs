//! Spans of one telemetry: decides which are kept, and hands them to the buffer.

use std::cell::Cell;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{HeaderMap, Uri};
use tracing::Level;

use super::batch::{BATCH_BYTES, Limits, SpanBuffer};
use super::config::{BUFFER_BYTES, Otlp};
use super::export::{self, Exporter, Report, Tap};
use super::keep::TraceKeep;
use super::resource::Envelope;
use super::sampler::Sampler;
use super::span::encode_server;
use super::transport::{Target, Transport};
use crate::request::child_spans::ChildSpans;
use crate::request::context::{RequestContext, TraceSampler};
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
    /// Bytes of spans inside of requests that are running.
    waiting_bytes: AtomicUsize,
}

impl Traces {
    /// Starts the thread that exports. `resource` is what the spans come from, unless the configuration says otherwise; `tap`
    /// sees every batch.
    ///
    /// # Errors
    /// If the system refuses the thread, or an `https://` endpoint its certificates.
    pub(crate) fn start(
        otlp: Otlp,
        (endpoint, headers): (Uri, HeaderMap),
        mut resource: Vec<(String, String)>,
        report: Report,
        tap: Option<Tap>,
    ) -> io::Result<Self> {
        let buffer = Arc::new(SpanBuffer::new(Limits {
            bytes: BUFFER_BYTES,
            spans: otlp.max_spans,
            // A batch that can never be full would wait for its delay, and the queue drop spans meanwhile.
            batch_spans: otlp.batch_spans.min(otlp.max_spans),
            delay: otlp.delay,
        }));
        resource.extend(otlp.resource);
        export::spawn(Exporter {
            buffer: Arc::clone(&buffer),
            transport: Transport::new(Target { endpoint, headers, gzip: otlp.gzip, timeout: otlp.timeout })?,
            envelope: Envelope::new(&resource),
            give_up_after: otlp.give_up_after,
            report,
            tap,
        })?;
        Ok(Self { buffer, sampler: otlp.sampler, keep: otlp.keep, waiting_bytes: AtomicUsize::new(0) })
    }

    /// For the counters, and for flushes: outlives this.
    pub(crate) fn buffer(&self) -> &Arc<SpanBuffer> {
        &self.buffer
    }

    /// Whether a request is one of this telemetry's.
    pub(super) fn observes(&self, context: &RequestContext) -> bool {
        context.telemetry().sampler().is_some_and(|sampler| std::ptr::addr_eq(sampler, self))
    }

    /// Whether the span of a request that is running may be kept at its end.
    pub(super) fn may_keep(&self, context: &RequestContext) -> bool {
        context.is_sampled() || self.keep != TraceKeep::NONE
    }

    fn keeps(&self, request: &FinishedRequest<'_>) -> bool {
        if request.endpoint.log_failures_only && request.level() == Level::INFO {
            return false;
        }
        let is_bad = || request.level() == Level::ERROR || request.outcome == Outcome::Timeout;
        let is_slow = |slow: Duration| request.duration() >= slow;
        request.context.is_sampled() || (self.keep.errors && is_bad()) || self.keep.slow.is_some_and(is_slow)
    }
}

impl TraceSampler for Traces {
    fn add_child(&self, context: &RequestContext, span: &[u8]) {
        let mut spans = context.child_spans();
        match &mut *spans {
            ChildSpans::Waiting(waiting) => waiting.add(span, || {
                let add = |bytes: usize| Some(bytes + span.len()).filter(|bytes| *bytes <= BUFFER_BYTES);
                self.waiting_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).is_ok()
            }),
            ChildSpans::Decided { kept } => {
                let kept = *kept;
                drop(spans);
                if kept {
                    self.buffer.append(span);
                }
            }
        }
    }

    fn samples(&self, trace_id: &TraceId, caller: Option<bool>) -> bool {
        self.sampler.samples(trace_id, caller)
    }
}

impl RequestSpans for Traces {
    fn finished(&self, request: &FinishedRequest<'_>) -> bool {
        let kept = self.keeps(request);
        // First: what ends from here on goes its own way.
        let children = request.context.child_spans().decide(kept);
        self.waiting_bytes.fetch_sub(children.bytes(), Ordering::Relaxed);
        if !kept {
            return false;
        }
        for child in children.iter() {
            self.buffer.append(child);
        }
        self.buffer.count_left_out(children.left_out);
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
