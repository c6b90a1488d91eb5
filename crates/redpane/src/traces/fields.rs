//! The fields of a `tracing` span, as attributes.

use tracing::field::{Field, Visit};

use super::encode::{MAX_TEXT, Value, attribute, cut};
use super::tag::ATTRIBUTES;
use crate::request::error_chain::ErrorChain;

/// The most bytes of a span's attributes. What is more is counted in the span.
const MAX_ATTRIBUTES: usize = 32 * 1024;

/// Attributes, encoded, by the names of their fields.
#[derive(Default)]
pub(super) struct Fields {
    encoded: Vec<(&'static str, Vec<u8>)>,
    bytes: usize,
    pub(super) dropped: u64,
}

impl Fields {
    /// All of them.
    pub(super) fn encoded(&self) -> Vec<u8> {
        let mut all = Vec::with_capacity(self.bytes);
        self.encoded.iter().for_each(|(_, encoded)| all.extend_from_slice(encoded));
        all
    }

    fn put(&mut self, field: &Field, value: Value<'_>) {
        let mut encoded = Vec::new();
        attribute(&mut encoded, ATTRIBUTES, field.name(), value);
        self.put_encoded(field.name(), encoded);
    }

    fn put_encoded(&mut self, name: &'static str, encoded: Vec<u8>) {
        let earlier = self.encoded.iter_mut().find(|(known, _)| *known == name);
        // What is replaced gives its bytes back.
        let others = self.bytes - earlier.as_ref().map_or(0, |(_, earlier)| earlier.len());
        if others + encoded.len() > MAX_ATTRIBUTES {
            self.dropped += 1;
            return;
        }
        self.bytes = others + encoded.len();
        match earlier {
            Some((_, earlier)) => *earlier = encoded,
            None => self.encoded.push((name, encoded)),
        }
    }

    /// `span.record(..)`: a later value replaces the earlier one.
    pub(super) fn update(&mut self, later: Self) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_is_replaced_gives_its_room_back() {
        let mut fields = Fields::default();
        let put = |fields: &mut Fields, name, length| fields.put_encoded(name, vec![0; length]);
        for length in (1..=100).rev() {
            put(&mut fields, "progress", length * 100);
        }
        assert_eq!((fields.bytes, fields.encoded.len(), fields.dropped), (100, 1, 0));
        put(&mut fields, "rest", MAX_ATTRIBUTES - 100);
        put(&mut fields, "progress", 101);
        put(&mut fields, "more", 1);
        assert_eq!((fields.bytes, fields.dropped), (MAX_ATTRIBUTES, 2), "the bound holds");
        put(&mut fields, "progress", 50);
        assert_eq!((fields.encoded().len(), fields.dropped), (MAX_ATTRIBUTES - 50, 2));
    }
}
