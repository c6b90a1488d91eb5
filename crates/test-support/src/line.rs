//! One log line, read more strictly than `serde_json` does by itself.

use std::collections::HashSet;
use std::ops::Index;

use serde_json::Value;

use crate::json::InOrder;

/// The longest line allowed, in bytes, its newline included.
const MAX_LINE: usize = 64 * 1024;
/// How every line begins.
const FIRST_KEYS: [&str; 7] = ["timestamp", "level", "app", "trace_id", "span_id", "target", "message"];

/// A parsed log line. `line["status"]` panics if there is no such field.
#[derive(Debug)]
pub struct Line {
    /// The line as it was written, without its newline.
    pub text: String,
    fields: Vec<(String, Value)>,
}

impl Line {
    /// Reads a line: bounded, a JSON object that begins with the keys all lines have, no key twice at any depth.
    ///
    /// # Panics
    /// If it is anything else.
    pub fn parse(text: &str) -> Self {
        Self::read(text).unwrap_or_else(|error| panic!("{error} in the line {text}"))
    }

    /// The same for lines that may be torn.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &str) -> Result<Self, String> {
        if text.len() >= MAX_LINE {
            return Err(format!("{} bytes", text.len()));
        }
        let InOrder(fields) = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let mut keys = HashSet::new();
        if let Some((twice, _)) = fields.iter().find(|(key, _)| !keys.insert(key)) {
            return Err(format!("the key {twice:?} comes twice"));
        }
        if !FIRST_KEYS.iter().eq(fields.iter().take(FIRST_KEYS.len()).map(|(key, _)| key)) {
            return Err(format!("the first keys are not {FIRST_KEYS:?}"));
        }
        Ok(Self { text: text.to_owned(), fields })
    }

    /// All lines of a text.
    ///
    /// # Panics
    /// If one of them is not valid, or the last one has no end.
    pub fn parse_all(text: &str) -> Vec<Self> {
        assert!(text.is_empty() || text.ends_with('\n'), "the last line is not whole: {text:?}");
        text.split_terminator('\n').map(Self::parse).collect()
    }

    /// The value of a field.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.fields.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The value of a field, where it is a text.
    pub fn get_str(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Value::as_str)
    }

    /// The value of a field that must be a text.
    ///
    /// # Panics
    /// If there is no such field, or it is no text.
    pub fn str(&self, key: &str) -> &str {
        self[key].as_str().unwrap_or_else(|| panic!("{key} is no text in {}", self.text))
    }

    /// The fields in their order.
    pub fn fields(&self) -> &[(String, Value)] {
        &self.fields
    }

    /// The fields behind those that all lines have.
    pub fn own_fields(&self) -> &[(String, Value)] {
        &self.fields[FIRST_KEYS.len()..]
    }

    /// Whether it is about a request that ended.
    pub fn is_access(&self) -> bool {
        self["target"] == "redpane::access" && self["message"] == "request"
    }
}

impl Index<&str> for Line {
    type Output = Value;

    fn index(&self, key: &str) -> &Value {
        self.get(key).unwrap_or_else(|| panic!("no field {key} in {}", self.text))
    }
}
