//! Which lines are wanted.
//!
//! Nearly all lines are refused by looking for a few bytes in them. Those that may be right are parsed: the bytes could stand
//! in a text or in the fields of a span.

use std::borrow::Cow;
use std::collections::HashMap;

use memchr::memmem::Finder;
use serde_json::value::RawValue;

use super::head::{level, time_ms};
use super::text::Text;

/// What a reader asked for. All of it must hold.
#[derive(Default)]
pub(in crate::pane) struct Filter {
    /// Milliseconds since 1970: from here on, and before there.
    pub(in crate::pane) from_ms: Option<u64>,
    pub(in crate::pane) to_ms: Option<u64>,
    /// The number of the lowest level.
    pub(in crate::pane) level: Option<usize>,
    fields: Vec<Field>,
    contains: Option<Text>,
}

struct Field {
    key: String,
    value: String,
    /// `"key":`, and the value as JSON where it is a text of plain characters: a number can be written in several ways.
    key_text: Finder<'static>,
    value_text: Finder<'static>,
}

impl Filter {
    /// Wants lines whose field is this text, number, `true`, `false` or `null`.
    pub(in crate::pane) fn field(&mut self, key: &str, value: &str) {
        let quoted = |text: &str| serde_json::to_string(text).unwrap_or_default();
        // What the log escapes in another way is found by parsing alone.
        let is_plain = value.bytes().all(|byte| (b' '..0x7f).contains(&byte) && !b"\"\\/".contains(&byte));
        let value_text = match value {
            "" => "\"\"",
            plain if is_plain => plain,
            _ => "",
        };
        self.fields.push(Field {
            key: key.to_owned(),
            value: value.to_owned(),
            key_text: Finder::new(format!("{}:", quoted(key)).as_bytes()).into_owned(),
            value_text: Finder::new(value_text).into_owned(),
        });
    }

    /// Wants lines that have this text somewhere, in upper or lower case.
    pub(in crate::pane) fn contains(&mut self, text: &str) {
        self.contains = Some(Text::new(text));
    }

    pub(in crate::pane) fn is_empty(&self) -> bool {
        self.from_ms.is_none()
            && self.to_ms.is_none()
            && self.level.is_none()
            && self.fields.is_empty()
            && self.contains.is_none()
    }

    /// Whether lines of this time may be wanted.
    pub(super) fn may_want(&self, from_ms: u64, to_ms: u64) -> bool {
        self.from_ms.is_none_or(|from| to_ms >= from) && self.to_ms.is_none_or(|to| from_ms < to)
    }

    /// Whether a line is wanted, unless [`confirms`](Self::confirms) refuses it.
    pub(super) fn may_be(&self, line: &[u8]) -> bool {
        self.level.is_none_or(|lowest| level(line).is_some_and(|level| level <= lowest))
            && (self.from_ms.is_none() && self.to_ms.is_none()
                || time_ms(line).is_some_and(|time| self.may_want(time, time)))
            && self.fields.iter().all(|field| field.may_be_in(line))
            && self.contains.as_ref().is_none_or(|text| text.is_in(line))
    }

    /// Whether the fields of a line are those that are wanted.
    pub(super) fn confirms(&self, line: &[u8]) -> bool {
        if self.fields.is_empty() {
            return true;
        }
        let Ok(found) = serde_json::from_slice::<HashMap<Cow<'_, str>, &RawValue>>(line) else { return false };
        self.fields.iter().all(|field| found.get(&*field.key).is_some_and(|value| is(value.get(), &field.value)))
    }
}

impl Field {
    fn may_be_in(&self, line: &[u8]) -> bool {
        self.key_text.find(line).is_some() && self.value_text.find(line).is_some()
    }
}

/// Whether a value of a line is what was asked for, by the text of it. A fraction is also found as others write it: `1.0` as `1`.
fn is(value: &str, wanted: &str) -> bool {
    if value.starts_with('"') {
        return serde_json::from_str::<Cow<'_, str>>(value).is_ok_and(|text| text == wanted);
    }
    let number = |text: &str| text.parse::<f64>().ok();
    value == wanted || value.contains('.') && number(value).is_some_and(|value| Some(value) == number(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"timestamp":"2026-01-02T03:04:05.678901Z","level":"WARN","app":"api","trace_id":null,"message":"request","route":"/a/{b}","status":404,"share":1.0,"note":"say \"route\":\"/x\"","spans":[{"name":"s","method":"GET"}]}"#;

    fn wants(set: impl FnOnce(&mut Filter)) -> bool {
        let mut filter = Filter::default();
        set(&mut filter);
        filter.may_be(LINE.as_bytes()) && filter.confirms(LINE.as_bytes())
    }

    #[test]
    fn fields_are_those_of_the_line_itself() {
        for (key, value) in [
            ("route", "/a/{b}"),
            ("status", "404"),
            ("trace_id", "null"),
            ("message", "request"),
            ("share", "1.0"),
            // As JavaScript and others write it.
            ("share", "1"),
            ("note", "say \"route\":\"/x\""),
        ] {
            assert!(wants(|filter| filter.field(key, value)), "{key}={value}");
        }
        for (key, value) in [
            ("route", "/x"),
            ("route", "/a"),
            ("status", "40"),
            ("share", "1.1"),
            ("share", "."),
            ("method", "GET"),
            ("name", "s"),
            ("absent", ""),
        ] {
            assert!(!wants(|filter| filter.field(key, value)), "{key}={value}");
        }
    }

    #[test]
    fn level_time_and_text() {
        assert!(wants(|filter| filter.level = Some(1)) && wants(|filter| filter.level = Some(4)));
        assert!(!wants(|filter| filter.level = Some(0)));
        let time = time_ms(LINE.as_bytes()).unwrap();
        assert!(wants(|filter| (filter.from_ms, filter.to_ms) = (Some(time), Some(time + 1))));
        assert!(!wants(|filter| filter.to_ms = Some(time)));
        assert!(!wants(|filter| filter.from_ms = Some(time + 1)));
        assert!(wants(|filter| filter.contains("REQUEST")));
        assert!(!wants(|filter| filter.contains("requests")));
    }
}
