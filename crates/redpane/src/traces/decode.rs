//! Reads spans back from a batch, for the pane.

use prost::bytes::Buf;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

use super::request_fields::STATUS_ERROR;
use super::tag;

/// A span that was read back. What cannot be read is left out.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct DecodedSpan {
    pub(crate) trace_id: String,
    pub(crate) span_id: String,
    /// Empty where it has none.
    pub(crate) parent_span_id: String,
    pub(crate) name: String,
    /// As OTLP numbers it: 1 internal, 2 server, 3 client.
    pub(crate) kind: u64,
    /// Nanoseconds since 1970.
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) attributes: Vec<(String, DecodedValue)>,
    pub(crate) is_error: bool,
    pub(crate) status_message: Option<String>,
}

/// The value of an attribute.
#[derive(Debug, PartialEq)]
pub(crate) enum DecodedValue {
    Text(String),
    Bool(bool),
    Integer(i64),
    Float(f64),
}

/// The spans of a trace in a batch.
pub(crate) fn spans_of(batch: &[u8], trace_id: &str) -> Vec<DecodedSpan> {
    let fields = Fields(batch).filter_map(|(_, field)| field.bytes());
    fields.map(span).filter(|span| span.trace_id == trace_id).collect()
}

fn span(encoded: &[u8]) -> DecodedSpan {
    let mut span = DecodedSpan::default();
    for (number, field) in Fields(encoded) {
        match (number, field) {
            (tag::TRACE_ID, Field::Bytes(id)) => span.trace_id = hex(id),
            (tag::SPAN_ID, Field::Bytes(id)) => span.span_id = hex(id),
            (tag::PARENT_SPAN_ID, Field::Bytes(id)) => span.parent_span_id = hex(id),
            (tag::NAME, Field::Bytes(name)) => span.name = text(name),
            (tag::KIND, Field::Number(kind)) => span.kind = kind,
            (tag::START, Field::Number(start)) => span.start = start,
            (tag::END, Field::Number(end)) => span.end = end,
            (tag::ATTRIBUTES, Field::Bytes(encoded)) => span.attributes.extend(attribute(encoded)),
            (tag::STATUS, Field::Bytes(encoded)) => {
                for (number, field) in Fields(encoded) {
                    match (number, field) {
                        (2, Field::Bytes(message)) => span.status_message = Some(text(message)),
                        (3, Field::Number(code)) => span.is_error = code == STATUS_ERROR,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    span
}

fn attribute(encoded: &[u8]) -> Option<(String, DecodedValue)> {
    let (mut key, mut value) = (None, None);
    for (number, field) in Fields(encoded) {
        match (number, field) {
            (1, Field::Bytes(name)) => key = Some(text(name)),
            (2, Field::Bytes(encoded)) => value = Fields(encoded).next().and_then(any_value),
            _ => {}
        }
    }
    key.zip(value)
}

fn any_value((number, field): (u32, Field<'_>)) -> Option<DecodedValue> {
    match (number, field) {
        (1, Field::Bytes(value)) => Some(DecodedValue::Text(text(value))),
        (2, Field::Number(value)) => Some(DecodedValue::Bool(value != 0)),
        (3, Field::Number(value)) => Some(DecodedValue::Integer(value as i64)),
        (4, Field::Number(bits)) => Some(DecodedValue::Float(f64::from_bits(bits))),
        _ => None,
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The fields of a message, up to the first that cannot be read.
struct Fields<'a>(&'a [u8]);

enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Field<'a> {
    fn bytes(self) -> Option<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Number(_) => None,
        }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (u32, Field<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        while self.0.has_remaining() {
            let (number, kind) = decode_key(&mut self.0).ok()?;
            let field = match kind {
                WireType::Varint => Field::Number(decode_varint(&mut self.0).ok()?),
                WireType::SixtyFourBit => Field::Number(self.0.try_get_u64_le().ok()?),
                WireType::LengthDelimited => {
                    let length = usize::try_from(decode_varint(&mut self.0).ok()?).ok()?;
                    let (bytes, rest) = self.0.split_at_checked(length)?;
                    self.0 = rest;
                    Field::Bytes(bytes)
                }
                other => {
                    skip_field(other, number, &mut self.0, DecodeContext::default()).ok()?;
                    continue;
                }
            };
            return Some((number, field));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::encode::{self, Value, attribute as put, fixed64, varint};
    use super::*;

    fn encoded(trace: u8) -> Vec<u8> {
        let mut span = Vec::new();
        encode::bytes(&mut span, tag::TRACE_ID, &[trace; 16]);
        encode::bytes(&mut span, tag::SPAN_ID, &[2; 8]);
        encode::bytes(&mut span, tag::NAME, b"GET /");
        varint(&mut span, tag::KIND, 2);
        encode::fixed32(&mut span, tag::FLAGS, 7);
        fixed64(&mut span, tag::START, 5);
        fixed64(&mut span, tag::END, 9);
        for (key, value) in
            [("t", Value::Text("x")), ("b", Value::Bool(true)), ("i", Value::Integer(-3)), ("f", Value::Float(0.5))]
        {
            put(&mut span, tag::ATTRIBUTES, key, value);
        }
        encode::head(&mut span, tag::STATUS, 2);
        varint(&mut span, 3, 2);
        span
    }

    #[test]
    fn what_was_written_is_read_back() {
        let mut batch = Vec::new();
        [1, 3, 1].iter().for_each(|trace| encode::bytes(&mut batch, 2, &encoded(*trace)));
        let spans = spans_of(&batch, &"01".repeat(16));
        assert_eq!((spans.len(), &*spans[0].name, spans[0].kind), (2, "GET /", 2));
        assert_eq!((&*spans[0].span_id, spans[0].start, spans[0].end), (&*"02".repeat(8), 5, 9));
        assert!(spans[0].is_error && spans[0].parent_span_id.is_empty());
        let values: Vec<_> = spans[0].attributes.iter().map(|(_, value)| value).collect();
        let text = DecodedValue::Text("x".into());
        assert_eq!(values, [&text, &DecodedValue::Bool(true), &DecodedValue::Integer(-3), &DecodedValue::Float(0.5)]);
        for cut in 0..batch.len() {
            let _ = spans_of(&batch[..cut], "");
        }
    }
}
