//! INTERNAL spans: every `tracing` span that is opened inside a request, from its making to its end.

use std::iter::successors;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use tracing::Subscriber;
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use super::child::{Child, encode_internal};
use super::fields::Fields;
use super::recorder::Traces;
use crate::request::context::{RequestContext, TraceSampler};
use crate::request::current::with_current;
use crate::request::entered_spans;
use crate::trace_context::ids::SpanId;

/// Makes spans of one telemetry's requests; does nothing without one that exports.
pub(crate) struct SpanLayer(pub(crate) Option<Arc<Traces>>);

/// Kept in the extensions of a `tracing` span, for each telemetry whose request it was opened in: nearly always one.
struct OpenSpans(Vec<OpenSpan>);

struct OpenSpan {
    context: RequestContext,
    span_id: SpanId,
    parent: SpanId,
    started: SystemTime,
    began: Instant,
    attributes: Fields,
}

impl SpanLayer {
    /// The request of this telemetry that this code runs for: others may be around it.
    fn current(&self, traces: &Traces) -> Option<RequestContext> {
        with_current(|context| {
            successors(context, |inner| inner.outer()).find(|context| traces.observes(context)).cloned()
        })
    }
}

/// What the nearest span around has of this telemetry's, of this request where there is one.
fn around<'a, S>(
    span: &SpanRef<'a, S>,
    traces: &Traces,
    of: Option<&RequestContext>,
) -> Option<(RequestContext, SpanId)>
where
    S: LookupSpan<'a>,
{
    span.scope().skip(1).find_map(|outer| {
        let extensions = outer.extensions();
        let open = extensions.get::<OpenSpans>()?.0.iter().find(|open| traces.observes(&open.context))?;
        of.is_none_or(|of| of.span_id() == open.context.span_id()).then(|| (open.context.clone(), open.span_id))
    })
}

impl<S> Layer<S> for SpanLayer
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, subscriber: Context<'_, S>) {
        let (Some(traces), Some(span)) = (&self.0, subscriber.span(id)) else { return };
        let current = self.current(traces);
        let around = around(&span, traces, current.as_ref());
        let (context, parent) = match (current, around) {
            (_, Some(around)) => around,
            (Some(context), None) => {
                let parent = *context.span_id();
                (context, parent)
            }
            (None, None) => return,
        };
        if !traces.may_keep(&context) {
            return;
        }
        // Before the extensions are locked: a value may log while it is formatted.
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let open = OpenSpan {
            context,
            span_id: SpanId::random(),
            parent,
            started: SystemTime::now(),
            began: Instant::now(),
            attributes: fields,
        };
        let mut extensions = span.extensions_mut();
        match extensions.get_mut::<OpenSpans>() {
            Some(spans) => spans.0.push(open),
            None => extensions.insert(OpenSpans(vec![open])),
        }
    }

    fn on_enter(&self, id: &Id, subscriber: Context<'_, S>) {
        let (Some(traces), Some(span)) = (&self.0, subscriber.span(id)) else { return };
        if let Some(spans) = span.extensions().get::<OpenSpans>()
            && let Some(open) = spans.0.iter().find(|open| traces.observes(&open.context))
        {
            entered_spans::enter(id.into_u64(), &open.context, open.span_id);
        }
    }

    fn on_exit(&self, id: &Id, _: Context<'_, S>) {
        if let Some(traces) = &self.0 {
            entered_spans::exit(id.into_u64(), |context| traces.observes(context));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, subscriber: Context<'_, S>) {
        let (Some(traces), Some(span)) = (&self.0, subscriber.span(id)) else { return };
        let mut fields = Fields::default();
        values.record(&mut fields);
        if let Some(spans) = span.extensions_mut().get_mut::<OpenSpans>()
            && let Some(open) = spans.0.iter_mut().find(|open| traces.observes(&open.context))
        {
            open.attributes.update(fields);
        }
    }

    fn on_close(&self, id: Id, subscriber: Context<'_, S>) {
        let (Some(traces), Some(span)) = (&self.0, subscriber.span(&id)) else { return };
        let open = span.extensions_mut().get_mut::<OpenSpans>().and_then(|spans| {
            let at = spans.0.iter().position(|open| traces.observes(&open.context))?;
            Some(spans.0.swap_remove(at))
        });
        let Some(open) = open else { return };
        let nanoseconds = u64::try_from(open.began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let attributes = open.attributes.encoded();
        let mut encoded = Vec::with_capacity(attributes.len() + 128);
        let child = Child {
            span_id: &open.span_id,
            parent: &open.parent,
            name: span.name(),
            started: open.started.duration_since(UNIX_EPOCH).unwrap_or_default(),
            nanoseconds,
            attributes: &attributes,
            attributes_dropped: open.attributes.dropped,
        };
        encode_internal(&mut encoded, &open.context, &child);
        traces.add_child(&open.context, &encoded);
    }
}
