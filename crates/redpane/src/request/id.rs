//! `X-Request-Id`: the caller's, where it is usable, else a fresh one; and the ids as header values.

use bytes::Bytes;
use http::HeaderValue;

use crate::trace_context::hex::Generator;
use crate::trace_context::ids::TraceId;

/// The longest request id that is taken over, in bytes.
const MAX_LENGTH: usize = 128;
/// Digits of a trace id, which come first in a [`FreshText`].
const TRACE_ID: usize = 32;
const BOTH_IDS: usize = TRACE_ID + 16;

/// The request id, as the header value that requests and answers share.
pub(crate) struct RequestId {
    value: HeaderValue,
    /// The trace id and then the request id, where that is fresh: one allocation for the header values made of them.
    fresh: Option<Bytes>,
}

/// What a fresh [`RequestId`] owns.
struct FreshText([u8; BOTH_IDS]);

impl AsRef<[u8]> for FreshText {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl RequestId {
    /// Takes 1 to [`MAX_LENGTH`] visible ASCII characters (0x21 to 0x7e); anything else is replaced.
    pub(crate) fn new(header: Option<&HeaderValue>, trace_id: &TraceId, random: &mut Generator<'_>) -> Self {
        let usable = |value: &&HeaderValue| {
            (1..=MAX_LENGTH).contains(&value.len()) && value.as_bytes().iter().all(u8::is_ascii_graphic)
        };
        match header.filter(usable) {
            Some(value) => Self { value: value.clone(), fresh: None },
            None => {
                let mut text = [0; BOTH_IDS];
                text[..TRACE_ID].copy_from_slice(trace_id.as_bytes());
                text[TRACE_ID..].copy_from_slice(&random.digits());
                let text = Bytes::from_owner(FreshText(text));
                Self { value: self::header(text.slice(TRACE_ID..)), fresh: Some(text) }
            }
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.value.as_bytes()
    }

    pub(crate) fn as_str(&self) -> &str {
        str::from_utf8(self.as_bytes()).expect("visible ASCII was asked for")
    }

    /// Whether the caller sent it. A fresh one consists of digits.
    pub(crate) fn is_given(&self) -> bool {
        self.fresh.is_none()
    }

    /// The request id as a header value that shares its text.
    pub(crate) fn to_header(&self) -> HeaderValue {
        self.value.clone()
    }

    /// The trace id that this was made with, as a header value.
    pub(crate) fn trace_id_to_header(&self, trace_id: &TraceId) -> HeaderValue {
        match &self.fresh {
            None => trace_id_header(trace_id),
            Some(text) => header(text.slice(..TRACE_ID)),
        }
    }
}

/// A trace id as a header value with a text of its own.
pub(super) fn trace_id_header(trace_id: &TraceId) -> HeaderValue {
    header(Bytes::copy_from_slice(trace_id.as_bytes()))
}

fn header(digits: Bytes) -> HeaderValue {
    HeaderValue::from_maybe_shared(digits).expect("hexadecimal digits are a header value")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace_context::hex;

    fn made(header: Option<&HeaderValue>, trace_id: &TraceId) -> RequestId {
        hex::generate(|random| RequestId::new(header, trace_id, random))
    }

    fn kept(value: &[u8]) -> bool {
        let header = HeaderValue::from_bytes(value).unwrap();
        made(Some(&header), &TraceId::random()).as_bytes() == value
    }

    #[test]
    fn visible_ascii_is_kept() {
        assert!(kept(b"7f3c-A_b.~!"));
        assert!(kept(&[b'x'; MAX_LENGTH]));
    }

    #[test]
    fn anything_else_is_replaced() {
        for bad in [&b""[..], b"two words", b"tab\there", b"caf\xc3\xa9", b"\xff", &[b'x'; MAX_LENGTH + 1]] {
            assert!(!kept(bad), "{bad:?}");
        }
        assert_eq!(made(None, &TraceId::random()).as_str().len(), 16);
    }

    #[test]
    fn header_values_say_what_the_ids_say() {
        let trace_id = TraceId::random();
        for given in [None, Some(&HeaderValue::from_static("given"))] {
            let id = made(given, &trace_id);
            assert_eq!(id.to_header(), id.as_str());
            assert_eq!(id.trace_id_to_header(&trace_id), trace_id.as_str());
        }
    }
}
