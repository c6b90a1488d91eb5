//! The fields that the application records for a request.

use std::borrow::Cow;

/// The most fields of a request.
const MAX_FIELDS: usize = 16;
/// The most bytes of names and values of a request, together. A number counts as 8.
pub(crate) const MAX_BYTES: usize = 4 * 1024;

/// The value of a recorded field.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum FieldValue {
    /// A text.
    Text(Box<str>),
    /// A whole number that may be negative.
    Signed(i64),
    /// A whole number.
    Unsigned(u64),
    /// A number.
    Float(f64),
    /// True or false.
    Bool(bool),
}

macro_rules! from {
    ($variant:ident: $($of:ty),*) => {$(
        impl From<$of> for FieldValue {
            fn from(value: $of) -> Self {
                Self::$variant(value.into())
            }
        }
    )*};
}
from!(Text: &str, String, Box<str>, Cow<'_, str>);
from!(Signed: i8, i16, i32, i64);
from!(Unsigned: u8, u16, u32, u64);
from!(Float: f32, f64);
from!(Bool: bool);

impl From<&String> for FieldValue {
    fn from(value: &String) -> Self {
        Self::Text(value.as_str().into())
    }
}

impl From<usize> for FieldValue {
    fn from(value: usize) -> Self {
        Self::Unsigned(value as u64)
    }
}

impl FieldValue {
    fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            _ => 8,
        }
    }
}

/// The name of a field: nearly always a literal.
pub(crate) type FieldName = Cow<'static, str>;

/// The recorded fields of one request, within bounds, in the order of their first recording.
#[derive(Clone, Debug, Default)]
pub(crate) struct RecordedFields {
    fields: Vec<(FieldName, FieldValue)>,
    bytes: usize,
    dropped: u32,
}

impl RecordedFields {
    /// Adds a field, or replaces the one of this name. Past a bound it is dropped and counted, and an earlier value stays.
    pub(crate) fn record(&mut self, name: FieldName, value: FieldValue) {
        let at = self.fields.iter().position(|(known, _)| *known == name);
        let replaced = at.map_or(0, |at| self.fields[at].0.len() + self.fields[at].1.bytes());
        let bytes = self.bytes - replaced + name.len() + value.bytes();
        if bytes > MAX_BYTES || (at.is_none() && self.fields.len() == MAX_FIELDS) {
            self.dropped = self.dropped.saturating_add(1);
            return;
        }
        self.bytes = bytes;
        match at {
            Some(at) => self.fields[at].1 = value,
            None => self.fields.push((name, value)),
        }
    }

    /// Adds a field, unless there is one of this name.
    pub(crate) fn record_missing(&mut self, name: &'static str, value: &FieldValue) {
        if !self.fields.iter().any(|(known, _)| known == name) {
            self.record(name.into(), value.clone());
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &FieldValue)> {
        self.fields.iter().map(|(name, value)| (&**name, value))
    }

    /// How often a field was dropped.
    pub(crate) fn dropped(&self) -> u32 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_value_and_its_first_place() {
        let mut fields = RecordedFields::default();
        fields.record("a".into(), 1_u64.into());
        fields.record("b".into(), "x".into());
        fields.record("a".into(), 2_u64.into());
        assert_eq!(fields.iter().collect::<Vec<_>>(), [("a", &FieldValue::Unsigned(2)), ("b", &"x".into())]);
    }

    #[test]
    fn what_is_past_a_bound_is_counted() {
        let mut fields = RecordedFields::default();
        (0..20).for_each(|number| fields.record(format!("f{number}").into(), number.into()));
        assert_eq!((fields.iter().count(), fields.dropped()), (MAX_FIELDS, 4));
        fields.record("f0".into(), "x".repeat(MAX_BYTES).into());
        assert_eq!((fields.iter().next(), fields.dropped()), (Some(("f0", &FieldValue::Signed(0))), 5));
        fields.record("f0".into(), "x".repeat(3 * 1024).into());
        fields.record("f1".into(), "x".repeat(2 * 1024).into());
        assert_eq!(fields.dropped(), 6);
    }
}
