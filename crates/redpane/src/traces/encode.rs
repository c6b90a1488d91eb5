//! Fields of protobuf messages, appended to a buffer. OTLP's messages nest, and a field's length stands in front of it: the
//! lengths are computed, nothing is written twice.

use prost::encoding::{self, WireType, encode_key, encode_varint, encoded_len_varint};

/// The longest text of an attribute, in bytes. What is longer is cut.
pub(super) const MAX_TEXT: usize = 8 * 1024;

/// The value of an attribute.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    Text(&'a str),
    Bool(bool),
    Integer(i64),
    Float(f64),
}

/// The beginning of a text, at most this many bytes of it.
pub(super) fn cut(text: &str, longest: usize) -> &str {
    match text.len() <= longest {
        true => text,
        false => &text[..(0..=longest).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)],
    }
}

/// Appends the key and the length of a text, of bytes or of a message, whose content the caller appends.
pub(super) fn head(out: &mut Vec<u8>, tag: u32, length: usize) {
    encode_key(tag, WireType::LengthDelimited, out);
    encode_varint(length as u64, out);
}

/// Appends a text, bytes, or a message that is encoded.
pub(super) fn bytes(out: &mut Vec<u8>, tag: u32, bytes: &[u8]) {
    head(out, tag, bytes.len());
    out.extend_from_slice(bytes);
}

pub(super) fn varint(out: &mut Vec<u8>, tag: u32, value: u64) {
    encoding::uint64::encode(tag, &value, out);
}

pub(super) fn fixed64(out: &mut Vec<u8>, tag: u32, value: u64) {
    encoding::fixed64::encode(tag, &value, out);
}

pub(super) fn fixed32(out: &mut Vec<u8>, tag: u32, value: u32) {
    encoding::fixed32::encode(tag, &value, out);
}

/// The bytes of a field of this length with its key, for tags below 16.
pub(super) fn length_of(content: usize) -> usize {
    1 + encoded_len_varint(content as u64) + content
}

/// Appends an attribute: a `KeyValue` of `opentelemetry.proto.common.v1`.
pub(super) fn attribute(out: &mut Vec<u8>, tag: u32, key: &str, value: Value<'_>) {
    let value = match value {
        Value::Text(text) => Value::Text(cut(text, MAX_TEXT)),
        other => other,
    };
    let length = match value {
        Value::Text(text) => length_of(text.len()),
        Value::Bool(_) => 2,
        Value::Integer(value) => 1 + encoded_len_varint(value as u64),
        Value::Float(_) => 9,
    };
    head(out, tag, length_of(key.len()) + length_of(length));
    bytes(out, 1, key.as_bytes());
    head(out, 2, length);
    match value {
        Value::Text(text) => bytes(out, 1, text.as_bytes()),
        Value::Bool(value) => encoding::bool::encode(2, &value, out),
        Value::Integer(value) => encoding::int64::encode(3, &value, out),
        Value::Float(value) => encoding::double::encode(4, &value, out),
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1::any_value::Value as Decoded;
    use opentelemetry_proto::tonic::resource::v1::Resource;
    use proptest::prelude::*;
    use prost::Message;

    use super::*;

    fn value() -> impl Strategy<Value = Decoded> {
        prop_oneof![
            any::<String>().prop_map(Decoded::StringValue),
            any::<bool>().prop_map(Decoded::BoolValue),
            any::<i64>().prop_map(Decoded::IntValue),
            // Those that are no number are not equal to themselves.
            any::<f64>().prop_filter("a number", |float| !float.is_nan()).prop_map(Decoded::DoubleValue),
        ]
    }

    proptest! {
        #[test]
        fn attributes_decode_to_what_was_put_in(attributes in prop::collection::vec((any::<String>(), value()), 0..20)) {
            let mut out = Vec::new();
            for (key, value) in &attributes {
                let value = match value {
                    Decoded::StringValue(text) => Value::Text(text),
                    Decoded::BoolValue(value) => Value::Bool(*value),
                    Decoded::IntValue(value) => Value::Integer(*value),
                    Decoded::DoubleValue(value) => Value::Float(*value),
                    other => panic!("{other:?} is never made"),
                };
                attribute(&mut out, 1, key, value);
            }
            let decoded = Resource::decode(&*out).unwrap().attributes;
            let decoded: Vec<_> = decoded.into_iter().map(|found| (found.key, found.value.unwrap().value.unwrap())).collect();
            prop_assert_eq!(decoded, attributes);
        }

        #[test]
        fn a_text_is_cut_between_characters(text in any::<String>(), longest in 0..64_usize) {
            let kept = cut(&text, longest);
            prop_assert!(kept.len() <= longest && text.starts_with(kept));
            prop_assert!(kept.len() + 4 > longest.min(text.len()));
        }
    }
}
