//! The fields that the application records for a request.

use std::borrow::Cow;

/// The most fields of a request.
const MAX_FIELDS: usize = 16;
/// The most bytes of names and values of a request, together. A number counts as 8.
pub(crate) const MAX_BYTES: usize = 4 * 1024;
/// So much of the text of an error stays, where the other fields leave less.
const LEAST_ERROR: usize = 512;
/// The most bytes of the name of an error's type.
const MAX_ERROR_TYPE: usize = 256;
/// Stands at the end of a text that was cut.
pub(super) const CUT: &str = "…[cut]";
const ERROR: &str = "error";
const ERROR_TYPE: &str = "error_type";

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

    /// Adds an error, or replaces the earlier one and its type. Why a request failed is worth more than what else is known
    /// of it: past a bound its text is shortened, then other fields give way, the latest first, and are counted.
    pub(crate) fn record_error(&mut self, text: &str, type_name: Option<&'static str>) {
        let place = self.remove(ERROR);
        self.remove(ERROR_TYPE);
        let type_name = type_name.map(|name| start(name, MAX_ERROR_TYPE));
        let fields = 1 + usize::from(type_name.is_some());
        let bytes = ERROR.len() + type_name.map_or(0, |name| ERROR_TYPE.len() + name.len());
        let least = text.len().min(LEAST_ERROR);
        while self.fields.len() + fields > MAX_FIELDS || self.bytes + bytes + least > MAX_BYTES {
            self.remove_at(self.fields.len() - 1);
            self.dropped = self.dropped.saturating_add(1);
        }
        let text = within(text, MAX_BYTES - self.bytes - bytes);
        let place = place.map_or(self.fields.len(), |place| place.min(self.fields.len()));
        if let Some(name) = type_name {
            self.insert(place, ERROR_TYPE, name.into());
        }
        self.insert(place, ERROR, text.into());
    }

    fn insert(&mut self, at: usize, name: &'static str, value: FieldValue) {
        self.bytes += name.len() + value.bytes();
        self.fields.insert(at, (name.into(), value));
    }

    /// Takes the field of this name out; gives its place.
    fn remove(&mut self, name: &str) -> Option<usize> {
        let at = self.fields.iter().position(|(known, _)| known == name)?;
        self.remove_at(at);
        Some(at)
    }

    fn remove_at(&mut self, at: usize) {
        let (name, value) = self.fields.remove(at);
        self.bytes -= name.len() + value.bytes();
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &FieldValue)> {
        self.fields.iter().map(|(name, value)| (&**name, value))
    }

    /// How often a field was dropped.
    pub(crate) fn dropped(&self) -> u32 {
        self.dropped
    }
}

/// A text of at most so many bytes, which says where it was cut.
fn within(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return text.into();
    }
    format!("{}{CUT}", start(text, most.saturating_sub(CUT.len()))).into()
}

/// The first so many bytes of a text, or a few less where that would cut a character.
pub(super) fn start(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|&at| text.is_char_boundary(at));
    &text[..end.unwrap_or(0)]
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

    fn named<'a>(fields: &'a RecordedFields, name: &str) -> Option<&'a FieldValue> {
        fields.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    #[test]
    fn a_later_error_replaces_the_earlier_one_and_its_type() {
        let mut fields = RecordedFields::default();
        fields.record_error("refused", Some("std::io::error::Error"));
        fields.record("tenant".into(), "acme".into());
        fields.record_error("cannot pay", None);
        assert_eq!(fields.iter().collect::<Vec<_>>(), [("error", &"cannot pay".into()), ("tenant", &"acme".into())]);
    }

    #[test]
    fn an_error_has_room_however_many_fields_there_are() {
        let mut fields = RecordedFields::default();
        (0..MAX_FIELDS).for_each(|number| fields.record(format!("f{number}").into(), 1.into()));
        fields.record_error("refused", Some("Refused"));
        assert_eq!(
            (named(&fields, ERROR), named(&fields, ERROR_TYPE)),
            (Some(&"refused".into()), Some(&"Refused".into()))
        );
        assert_eq!((fields.iter().count(), fields.dropped(), named(&fields, "f14")), (MAX_FIELDS, 2, None));
        fields.record("late".into(), 1.into());
        assert_eq!((fields.dropped(), named(&fields, ERROR)), (3, Some(&"refused".into())));
    }

    #[test]
    fn an_error_has_room_however_long_the_fields_are() {
        let text_of = |fields: &RecordedFields| match named(fields, ERROR) {
            Some(FieldValue::Text(text)) => text.len(),
            other => panic!("{other:?}"),
        };
        let mut fields = RecordedFields::default();
        fields.record("body".into(), "x".repeat(3 * 1024).into());
        fields.record_error(&"ä".repeat(1000), Some("Refused"));
        assert!((LEAST_ERROR..1024).contains(&text_of(&fields)), "its text is shortened");
        assert_eq!((fields.dropped(), named(&fields, ERROR_TYPE)), (0, Some(&"Refused".into())));
        assert!((MAX_BYTES - 2..=MAX_BYTES).contains(&fields.bytes), "{}", fields.bytes);

        let mut fields = RecordedFields::default();
        fields.record("tenant".into(), "acme".into());
        fields.record("body".into(), "x".repeat(MAX_BYTES - 20).into());
        fields.record_error(&"x".repeat(2 * 1024), Some("Refused"));
        assert_eq!((fields.dropped(), text_of(&fields)), (1, 2 * 1024), "what is longer gives way");
        assert_eq!(named(&fields, "tenant"), Some(&"acme".into()));
    }
}
