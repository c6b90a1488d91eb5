//! The `tracing` layer that promotes fields of spans to fields of the request.

use std::fmt::{self, Write as _};
use std::mem;
use std::sync::Arc;

use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use super::span::SpanFields;
use super::value::{FieldValue, visit_with};
use crate::request::context::RequestContext;
use crate::request::current::with_current;
use crate::request::fields::{FieldValue as RecordedValue, MAX_BYTES};
use crate::request::outside_spans::{self, OutsideSpan};
use crate::request::promoted_names::PromotedNames;
use crate::request::record;

/// Promotes what the builder of one telemetry names; does nothing where it names nothing. Stands behind the
/// [`LogLayer`](super::layer::LogLayer), which knows the requests of spans.
pub(crate) struct PromoteLayer(pub(crate) Option<Arc<PromotedNames>>);

/// Kept in the extensions of a span that may have promoted fields, for each telemetry that promotes: nearly always one.
struct Promoted(Vec<(Arc<PromotedNames>, Source)>);

/// Where a span was opened.
#[derive(Clone)]
enum Source {
    Request(RequestContext),
    Outside(Arc<OutsideSpan>),
}

impl<S> Layer<S> for PromoteLayer
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, subscriber: Context<'_, S>) {
        let Some(names) = self.0.as_ref().filter(|names| names.are_in(attributes.metadata())) else { return };
        let Some(span) = subscriber.span(id) else { return };
        // Before the extensions are locked: a value may log while it is formatted.
        let mut values = Values { names, found: Vec::new() };
        attributes.record(&mut values);
        let source = match request_of(&span, names) {
            Some(context) => {
                values.record_in(&context);
                Source::Request(context)
            }
            None => Source::Outside(Arc::new(OutsideSpan::new(values.found))),
        };
        let mut extensions = span.extensions_mut();
        if extensions.get_mut::<Promoted>().is_none() {
            extensions.insert(Promoted(Vec::new()));
        }
        if let Some(Promoted(all)) = extensions.get_mut() {
            // Another layer of the same telemetry may have been here.
            all.retain(|(others, _)| !Arc::ptr_eq(others, names));
            all.push((Arc::clone(names), source));
        }
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, subscriber: Context<'_, S>) {
        let Some(names) = &self.0 else { return };
        let Some(source) = subscriber.span(id).and_then(|span| source(&span, names)) else { return };
        let mut values = Values { names, found: Vec::new() };
        record.record(&mut values);
        match source {
            _ if values.found.is_empty() => {}
            Source::Request(context) => values.record_in(&context),
            Source::Outside(outside) => {
                let current = current(names).filter(|_| outside_spans::is_entered(&outside));
                outside.record(values.found, current.as_ref());
            }
        }
    }

    fn on_enter(&self, id: &Id, subscriber: Context<'_, S>) {
        let Some(names) = &self.0 else { return };
        if let Some(Source::Outside(outside)) = subscriber.span(id).and_then(|span| source(&span, names)) {
            if let Some(context) = current(names) {
                outside.is_around(&context);
            }
            outside_spans::enter(id.into_u64(), names, &outside);
        }
    }

    fn on_exit(&self, id: &Id, _: Context<'_, S>) {
        if let Some(names) = &self.0 {
            outside_spans::exit(id.into_u64(), names);
        }
    }
}

/// The request that this code runs for, as the telemetry of these names has observed it.
fn current(names: &Arc<PromotedNames>) -> Option<RequestContext> {
    with_current(|context| context?.of_promoter(names).cloned())
}

/// The request that a new span belongs to: the current one, else that of the nearest span around it, which a task may have
/// been given.
fn request_of<'a, S: LookupSpan<'a>>(span: &SpanRef<'a, S>, names: &Arc<PromotedNames>) -> Option<RequestContext> {
    let around = |outer: SpanRef<'a, S>| outer.extensions().get::<SpanFields>()?.context()?.of_promoter(names).cloned();
    current(names).or_else(|| span.scope().skip(1).find_map(around))
}

fn source<'a, S: LookupSpan<'a>>(span: &SpanRef<'a, S>, names: &Arc<PromotedNames>) -> Option<Source> {
    let extensions = span.extensions();
    let Promoted(all) = extensions.get()?;
    all.iter().find(|(others, _)| Arc::ptr_eq(others, names)).map(|(_, source)| source.clone())
}

/// The promoted ones among the fields of a span.
struct Values<'a> {
    names: &'a PromotedNames,
    found: Vec<(&'static str, RecordedValue)>,
}

impl Values<'_> {
    fn take(&mut self, field: &Field, value: &FieldValue<'_>) {
        if self.names.has(field.name()) {
            self.found.push((field.name(), recorded(value)));
        }
    }

    fn record_in(&mut self, context: &RequestContext) {
        mem::take(&mut self.found).into_iter().for_each(|(name, value)| context.record_field(name.into(), value));
    }
}

impl Visit for Values<'_> {
    visit_with!(take);
}

/// A value as `record` takes it.
fn recorded(value: &FieldValue<'_>) -> RecordedValue {
    match *value {
        FieldValue::Text(text) => text.into(),
        FieldValue::Bool(value) => value.into(),
        FieldValue::Signed(value) => i64::try_from(value).map_or_else(|_| value.to_string().into(), Into::into),
        FieldValue::Unsigned(value) => u64::try_from(value).map_or_else(|_| value.to_string().into(), Into::into),
        FieldValue::Float(value) => value.into(),
        FieldValue::Error(error) => record::shown(error).into(),
        FieldValue::Debug(value) => {
            let mut text = Short(String::new());
            // Fails where it is too long, and then it finds no room in the request.
            let _ = write!(text, "{value:?}");
            text.0.into()
        }
    }
}

/// A text that ends where it is longer than all fields of a request together.
struct Short(String);

impl fmt::Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.push_str(text);
        if self.0.len() > MAX_BYTES { Err(fmt::Error) } else { Ok(()) }
    }
}
