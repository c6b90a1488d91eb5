//! INTERNAL spans: every `tracing` span that is opened inside a request, from its making to its end.

use std::iter::successors;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use super::encode::{MAX_TEXT, Value, attribute, cut};
use super::recorder::Traces;
use super::span::{self, Child};
use crate::request::context::{RequestContext, TraceSampler};
use crate::request::current::with_current;
use crate::request::error_chain::ErrorChain;
use crate::trace_context::ids::SpanId;

/// The most bytes of a span's attributes. What is more is counted in the span.
const MAX_ATTRIBUTES: usize = 32 * 1024;

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
        let mut attributes = Vec::new();
        open.attributes.encoded.iter().for_each(|(_, encoded)| attributes.extend_from_slice(encoded));
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
        span::encode_internal(&mut encoded, &open.context, &child);
        traces.add_child(&open.context, &encoded);
    }
}

/// Attributes, encoded, by the names of their fields.
#[derive(Default)]
struct Fields {
    encoded: Vec<(&'static str, Vec<u8>)>,
    bytes: usize,
    dropped: u64,
}

impl Fields {
    fn put(&mut self, field: &Field, value: Value<'_>) {
        let mut encoded = Vec::new();
        attribute(&mut encoded, span::ATTRIBUTES, field.name(), value);
        self.put_encoded(field.name(), encoded);
    }

    fn put_encoded(&mut self, name: &'static str, encoded: Vec<u8>) {
        if self.bytes + encoded.len() > MAX_ATTRIBUTES {
            self.dropped += 1;
            return;
        }
        self.bytes += encoded.len();
        match self.encoded.iter_mut().find(|(known, _)| *known == name) {
            Some((_, earlier)) => *earlier = encoded,
            None => self.encoded.push((name, encoded)),
        }
    }

    /// `span.record(..)`: a later value replaces the earlier one.
    fn update(&mut self, later: Self) {
        later.encoded.into_iter().for_each(|(name, encoded)| self.put_encoded(name, encoded));
        self.dropped += later.dropped;
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, Value::Text(value));
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, Value::Bool(value));
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, Value::Integer(value));
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        match i64::try_from(value) {
            Ok(value) => self.put(field, Value::Integer(value)),
            Err(_) => self.put(field, Value::Text(&value.to_string())),
        }
    }
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, Value::Float(value));
    }
    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.put(field, Value::Text(&ErrorChain(value).to_string()));
    }
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.put(field, Value::Text(cut(&format!("{value:?}"), MAX_TEXT)));
    }
}
