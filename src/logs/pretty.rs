//! The form of a line for people: made from the JSON line, so that both always say the same.

use std::fmt::{self, Write as _};
use std::io::{self, Write};

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

/// Shows whole lines of JSON in the other form. Sits before the output, so that the serving threads know one form only.
pub(crate) struct PrettyWriter<W>(pub(crate) W);

impl<W: Write> Write for PrettyWriter<W> {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        for line in lines.split_inclusive(|&byte| byte == b'\n') {
            match from_json(line) {
                Some(shown) => self.0.write_all(shown.as_bytes())?,
                None => self.0.write_all(line)?,
            }
        }
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// `03:04:05.006007 WARN api redpane::access request trace_id=… method=GET …`, newline included.
fn from_json(line: &[u8]) -> Option<String> {
    let fields = serde_json::Deserializer::from_slice(line).deserialize_map(InOrder).ok()?;
    let [(_, timestamp), (_, level), (_, app), ids @ ..] = fields.as_slice() else { return None };
    let mut shown = String::with_capacity(line.len());
    // The date is the same all day long; a terminal has better use for the room.
    let time = timestamp.as_str()?.get(11..26)?;
    write!(shown, "{time} {:5} {}", level.as_str()?, app.as_str()?).ok()?;
    let plain = |key: &str| ids.iter().find(|(name, _)| name == key).and_then(|(_, value)| value.as_str());
    write!(shown, " {} {}", plain("target")?, plain("message")?).ok()?;
    for (key, value) in
        ids.iter().filter(|(key, value)| !matches!(key.as_str(), "target" | "message") && !value.is_null())
    {
        match value {
            Value::String(text) if !text.contains([' ', '"', '\n', '=']) => write!(shown, " {key}={text}").ok()?,
            other => write!(shown, " {key}={other}").ok()?,
        }
    }
    shown.push('\n');
    Some(shown)
}

/// A map in the order of its text, which `serde_json::Value` would sort.
struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Vec<(String, Value)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a log line: one JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(fields)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn keeps_the_order_and_leaves_out_what_is_absent() {
        let line = br#"{"timestamp":"2026-01-02T03:04:05.006007Z","level":"WARN","app":"api","trace_id":null,"span_id":null,"target":"t","message":"two words","b":1,"a":"x y"}"#;
        let shown = super::from_json(line).unwrap();
        assert_eq!(shown, "03:04:05.006007 WARN  api t two words b=1 a=\"x y\"\n");
    }
}
