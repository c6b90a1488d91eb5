//! What a line needs to know of the `tracing` spans around its event.

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Record};

use super::json;
use super::line;
use super::value::{FieldValue, visit_with};
use crate::request::context::RequestContext;
use crate::request::current::current;
use crate::trace_context::traceparent::TraceParent;

/// Kept in a span's extensions: its fields, encoded once, and the request in which the span was made.
pub(super) struct SpanFields {
    fields: EncodedFields,
    context: Option<RequestContext>,
    /// The ids that an SDK of the application has for this span.
    ids: Option<TraceParent>,
}

/// Names and values, encoded. Made before a span's extensions are locked: a value may log while it is formatted, and
/// that line reads the extensions of the very same span.
#[derive(Default)]
pub(super) struct EncodedFields(Vec<(&'static str, Vec<u8>)>);

impl EncodedFields {
    /// Encodes what `span.record(..)` brings.
    pub(super) fn of(values: &Record<'_>) -> Self {
        let mut fields = Self::default();
        values.record(&mut fields);
        fields
    }

    fn encode(&mut self, field: &Field, value: &FieldValue<'_>) {
        let mut encoded = Vec::new();
        value.write(&mut encoded);
        self.put(field.name(), encoded);
    }

    fn put(&mut self, name: &'static str, encoded: Vec<u8>) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, earlier)) => *earlier = encoded,
            None => self.0.push((name, encoded)),
        }
    }
}

impl Visit for EncodedFields {
    visit_with!(encode);
}

impl SpanFields {
    pub(super) fn new(attributes: &Attributes<'_>) -> Self {
        let mut fields = EncodedFields::default();
        attributes.record(&mut fields);
        Self { fields, context: current(), ids: None }
    }

    /// `span.record(..)`: a later value replaces the earlier one.
    pub(super) fn update(&mut self, values: EncodedFields) {
        values.0.into_iter().for_each(|(name, encoded)| self.fields.put(name, encoded));
    }

    pub(super) fn context(&self) -> Option<&RequestContext> {
        self.context.as_ref()
    }

    /// The span was entered, and the SDK's current one has these ids.
    pub(super) fn put_ids(&mut self, ids: TraceParent) {
        self.ids = Some(ids);
    }

    pub(super) fn ids(&self) -> Option<&TraceParent> {
        self.ids.as_ref()
    }

    /// Appends `{"name":…, fields…}`.
    pub(super) fn write(&self, out: &mut Vec<u8>, name: &str) {
        out.extend_from_slice(b"{\"name\":");
        json::text_up_to(out, name, 256);
        for (key, value) in &self.fields.0 {
            out.push(b',');
            // `name` is taken by the span's own name.
            let (bare, prefixes) = line::prefixed(key);
            line::key(out, bare, prefixes + usize::from(bare == "name"));
            out.extend_from_slice(value);
        }
        out.push(b'}');
    }
}
