//! What a line needs to know of the `tracing` spans around its event.

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Record};

use super::json;
use super::layer::FieldValue;
use super::line;
use crate::context::{self, RequestContext};

/// Kept in a span's extensions: its fields, encoded once, and the request in which the span was made.
pub(super) struct SpanFields {
    fields: Vec<(&'static str, Vec<u8>)>,
    context: Option<RequestContext>,
}

impl SpanFields {
    pub(super) fn new(attributes: &Attributes<'_>) -> Self {
        let mut fields = Self { fields: Vec::new(), context: context::current() };
        attributes.record(&mut fields);
        fields
    }

    /// `span.record(..)`: a later value replaces the earlier one.
    pub(super) fn update(&mut self, values: &Record<'_>) {
        values.record(self);
    }

    pub(super) fn context(&self) -> Option<&RequestContext> {
        self.context.as_ref()
    }

    /// Appends `{"name":…, fields…}`.
    pub(super) fn write(&self, out: &mut Vec<u8>, name: &str) {
        out.extend_from_slice(b"{\"name\":");
        json::text_up_to(out, name, 256);
        for (key, value) in &self.fields {
            out.push(b',');
            // `name` is taken by the span's own name.
            line::key(out, key, usize::from(*key == "name"));
            out.extend_from_slice(value);
        }
        out.push(b'}');
    }

    fn set(&mut self, field: &Field, value: &FieldValue<'_>) {
        let mut encoded = Vec::new();
        value.write(&mut encoded);
        match self.fields.iter_mut().find(|(name, _)| *name == field.name()) {
            Some((_, earlier)) => *earlier = encoded,
            None => self.fields.push((field.name(), encoded)),
        }
    }
}

impl Visit for SpanFields {
    super::layer::visit_with!(set);
}
