//! Labels, annotations and values of an alert: maps whose values may be anything, though senders write texts and numbers.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::cut::without_place;

/// Most labels of an alert, and most annotations and values: some thirty are many.
const FIELD_LIMIT: usize = 1000;
/// The longest value, in bytes of JSON, that is parsed to be shown as compact JSON: parsed it takes a hundred times that.
const PARSED_BYTES: usize = 4 * 1024;

/// A map of an alert, sorted by name. Of a name that stands there twice, the last one counts.
#[derive(Debug, Default)]
pub(super) struct Fields<'a>(BTreeMap<String, FieldValue<'a>>);

/// A value of such a map.
#[derive(Debug)]
pub(super) enum FieldValue<'a> {
    Text(Cow<'a, str>),
    Other(&'a RawValue),
}

impl<'a> Fields<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn get(&self, name: &str) -> Option<&FieldValue<'a>> {
        self.0.get(name)
    }

    /// A value that is a text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            FieldValue::Text(text) => Some(text),
            FieldValue::Other(_) => None,
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &FieldValue<'a>)> {
        self.0.iter()
    }
}

impl FieldValue<'_> {
    /// As a line shows it: a text as it is, anything else as compact JSON, or as it came where it is long.
    pub(super) fn shown(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Other(json) if json.get().len() > PARSED_BYTES => Cow::Borrowed(json.get()),
            Self::Other(json) => match serde_json::from_str::<Value>(json.get()) {
                Ok(value) => Cow::Owned(value.to_string()),
                // Deeper than is parsed, or a number beyond those that are.
                Err(_) => Cow::Borrowed(json.get()),
            },
        }
    }

    pub(super) fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Text(_) => None,
            Self::Other(json) => serde_json::from_str(json.get()).ok(),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for FieldValue<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
        let json = <&RawValue>::deserialize(from)?;
        if !json.get().starts_with('"') {
            return Ok(Self::Other(json));
        }
        match serde_json::from_str(json.get()) {
            Ok(Text(text)) => Ok(Self::Text(text)),
            Err(error) => Err(D::Error::custom(without_place(&error))),
        }
    }
}

/// Of null nothing.
impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Map;
        impl<'de> Visitor<'de> for Map {
            type Value = Fields<'de>;

            fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str("a map")
            }

            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(Fields::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = BTreeMap::new();
                while let Some((name, value)) = map.next_entry()? {
                    fields.insert(name, value);
                    if fields.len() > FIELD_LIMIT {
                        return Err(A::Error::custom(format!("more than {FIELD_LIMIT} entries")));
                    }
                }
                Ok(Fields(fields))
            }
        }
        from.deserialize_any(Map)
    }
}
