//! Where finished requests go, and what the middleware may do on the way.

use std::any::Any;
use std::sync::Arc;

use super::declared_label::DeclaredLabel;
use super::route_label::RouteLabels;
use super::unwind::catch;
use crate::logs;
use crate::logs::access::{self, AccessLine};
use crate::logs::log::Log;
use crate::logs::panics;
use crate::metrics::http::Counted;
use crate::metrics::registry::Registry;
use crate::request::context::RequestContext;
use crate::request::current::enter;
use crate::request::finished::{FinishedRequest, RequestSpans};
use crate::request::ids_from::IdsSource;
use crate::request::observer::RequestObserver;
use crate::request::promoted_names::PromotedNames;
use crate::request::stream::FinishedStream;
use crate::trace_context::ids::{SpanId, TraceId};

/// What the builder decided for all requests.
#[derive(Clone, Copy)]
pub(crate) struct Policy {
    /// Answers carry `X-Trace-Id` and `X-Request-Id`.
    pub(crate) response_headers: bool,
    /// The caller's trace context is taken over.
    pub(crate) trust_trace_context: bool,
    /// A panic becomes an answer with status 500.
    pub(crate) catch_panics: bool,
    /// Requests of `https` are counted apart from those of `http`.
    pub(crate) counts_schemes: bool,
}

/// The part of a telemetry that the middleware works with.
pub(crate) struct Pipeline {
    pub(crate) log: Arc<Log>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) labels: RouteLabels,
    pub(crate) declared: Vec<DeclaredLabel>,
    pub(crate) policy: Policy,
    /// Where spans are exported.
    pub(crate) spans: Option<Arc<dyn RequestSpans>>,
    /// Where an SDK of the application says the ids.
    pub(crate) ids_from: Option<IdsSource>,
    /// Fields of spans that become fields of the request.
    pub(crate) promoted: Option<Arc<PromotedNames>>,
    pub(crate) observers: Vec<Box<dyn RequestObserver>>,
    /// What has to live as long as requests may come, and takes no part in them.
    #[expect(dead_code, reason = "it is only kept")]
    pub(crate) kept: Option<Arc<dyn Any + Send + Sync>>,
}

impl Pipeline {
    /// Counts, logs and shows a request, once.
    pub(super) fn finish(&self, counted: Counted<'_>, request: &FinishedRequest<'_>) {
        let line = access::decide(&self.log, request);
        // First: a request whose span is not kept is no exemplar. Where nobody has spans, it leads to its line alone.
        let has_trace = match &self.spans {
            Some(spans) => spans.finished(request),
            None => request.known_by.may_be_exported && (line != AccessLine::SampledOut || self.ids_from.is_some()),
        };
        self.registry.http.record(counted, request, has_trace);
        match line {
            AccessLine::Wanted(level, sample_rate) => access::write(&self.log, request, level, sample_rate),
            AccessLine::SampledOut => self.registry.lines_sampled_out.add(),
            AccessLine::Unwanted => {}
        }
        if !self.observers.is_empty() {
            self.observe(Some(request.context), request.context.ids(), |observer| observer.finished(request));
        }
    }

    /// Logs and shows a stream, once. `context` is that of its request, where something of it is left.
    pub(super) fn show_stream(&self, stream: &FinishedStream<'_>, context: Option<&RequestContext>) {
        match logs::stream::decide(&self.log, stream) {
            AccessLine::Wanted(level, sample_rate) => logs::stream::write(&self.log, stream, level, sample_rate),
            AccessLine::SampledOut => self.registry.streams.lines_sampled_out.add(),
            AccessLine::Unwanted => {}
        }
        self.observe(context, (stream.trace_id, stream.span_id), |observer| observer.stream_finished(stream));
    }

    fn observe(&self, context: Option<&RequestContext>, ids: (&TraceId, &SpanId), tell: impl Fn(&dyn RequestObserver)) {
        // Inside the request, so that their lines carry its ids.
        let mut inside = context.cloned();
        let _scope = enter(&mut inside);
        for observer in &self.observers {
            // A second panic while a request unwinds would end the process.
            if let Err(payload) = catch(|| tell(&**observer)) {
                match context {
                    Some(context) => panics::write_caught(&self.log, context, &*payload),
                    None => panics::write_outside(&self.log, ids, &*payload),
                }
            }
        }
    }
}
