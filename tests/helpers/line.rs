//! One log line, read more strictly than `serde_json` does by itself: a doubled key is an error.

use std::fmt;
use std::ops::Index;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// The longest line allowed, in bytes, its newline included.
const MAX_LINE: usize = 64 * 1024;

/// A parsed log line. `line["status"]` panics if there is no such field.
#[derive(Debug)]
pub(crate) struct Line {
    /// The line as it was written, without its newline.
    pub(crate) text: String,
    fields: Map<String, Value>,
}

impl Line {
    pub(crate) fn parse(text: &str) -> Self {
        assert!(text.len() < MAX_LINE, "a line of {} bytes is too long", text.len());
        let parsed = serde_json::from_str(text);
        let Strict(Value::Object(fields)) = parsed.unwrap_or_else(|error| panic!("{error} in the line {text}")) else {
            panic!("no JSON object: {text}");
        };
        Self { text: text.to_owned(), fields }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        self.fields.get(key)
    }

    pub(crate) fn str(&self, key: &str) -> &str {
        self[key].as_str().unwrap_or_else(|| panic!("{key} is no text in {}", self.text))
    }

    pub(crate) fn is_access(&self) -> bool {
        self["target"] == "redpane::access"
    }
}

impl Index<&str> for Line {
    type Output = Value;

    fn index(&self, key: &str) -> &Value {
        self.get(key).unwrap_or_else(|| panic!("no field {key} in {}", self.text))
    }
}

/// A JSON value none of whose objects has a key twice.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without doubled keys")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((key, Strict(value))) = access.next_entry::<String, Strict>()? {
            if map.contains_key(&key) {
                return Err(A::Error::custom(format_args!("the key {key:?} is doubled")));
            }
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(value)) = access.next_element()? {
            list.push(value);
        }
        Ok(Value::Array(list))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
}
