//! The form of a line for people: made from the JSON line, so that both always say the same.

use std::fmt::{self, Write as _};
use std::io::{self, Write};

use serde_core::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::json::is_hidden;

/// Shows whole lines of JSON in the other form. Sits before the output, so that the serving threads know one form only.
///
/// Takes one line a call, and says that it did once all of its other form is written: an output that takes a part of it,
/// or nothing yet, gets the rest at the next call with the same line.
pub(crate) struct PrettyWriter<W> {
    output: W,
    /// The other form of the line that is being written, and how much of it is.
    shown: Vec<u8>,
    written: usize,
    /// The output's last line has no end: it failed in the middle.
    torn: bool,
}

impl<W: Write> PrettyWriter<W> {
    pub(crate) fn new(output: W) -> Self {
        Self { output, shown: Vec::new(), written: 0, torn: false }
    }

    fn show(&mut self, line: &[u8]) {
        self.written = 0;
        self.shown.clear();
        if self.torn {
            self.shown.push(b'\n');
        }
        match from_json(line) {
            Some(shown) => self.shown.extend_from_slice(shown.as_bytes()),
            None => self.shown.extend_from_slice(line),
        }
    }

    fn write_shown(&mut self) -> io::Result<()> {
        while self.written < self.shown.len() {
            match self.output.write(&self.shown[self.written..])? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                more => self.written += more,
            }
            self.torn = self.shown[self.written - 1] != b'\n';
        }
        Ok(())
    }
}

impl<W: Write> Write for PrettyWriter<W> {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        let end = lines.iter().position(|&byte| byte == b'\n').map_or(lines.len(), |newline| newline + 1);
        if self.shown.is_empty() {
            self.show(&lines[..end]);
        }
        let outcome = self.write_shown();
        let comes_again =
            |error: &io::Error| matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted);
        if !outcome.as_ref().is_err_and(comes_again) {
            self.shown.clear();
        }
        outcome.map(|()| end)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

/// `03:04:05.006007 WARN api redpane::access request trace_id=… method=GET …`, newline included.
fn from_json(line: &[u8]) -> Option<String> {
    let fields = serde_json::Deserializer::from_slice(line).deserialize_map(InOrder).ok()?;
    let [(_, timestamp), (_, level), (_, app), ids @ ..] = fields.as_slice() else { return None };
    let mut shown = String::with_capacity(line.len());
    // The date is the same all day long; a terminal has better use for the room.
    let time = timestamp.as_str()?.get(11..26)?;
    write!(shown, "{time} {:5} {}", level.as_str()?, Visible(app.as_str()?)).ok()?;
    let plain = |key: &str| ids.iter().find(|(name, _)| name == key).and_then(|(_, value)| value.as_str()).map(Visible);
    write!(shown, " {} {}", plain("target")?, plain("message")?).ok()?;
    for (key, value) in
        ids.iter().filter(|(key, value)| !matches!(key.as_str(), "target" | "message") && !value.is_null())
    {
        let key = Visible(key);
        match value {
            Value::String(text) if !text.contains([' ', '"', '=']) => write!(shown, " {key}={}", Visible(text)).ok()?,
            other => write!(shown, " {key}={}", Visible(&other.to_string())).ok()?,
        }
    }
    shown.push('\n');
    Some(shown)
}

/// Text whose control and hidden characters are escaped: a value from outside neither breaks the line, nor steers the
/// terminal, nor looks like another one.
struct Visible<'a>(&'a str);

impl fmt::Display for Visible<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_unsafe = |character: char| character.is_control() || is_hidden(character);
        for part in self.0.split_inclusive(is_unsafe) {
            match part.char_indices().next_back().filter(|(_, last)| is_unsafe(*last)) {
                Some((at, last)) => write!(f, "{}{}", &part[..at], last.escape_default())?,
                None => f.write_str(part)?,
            }
        }
        Ok(())
    }
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
