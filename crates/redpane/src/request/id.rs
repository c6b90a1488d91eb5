//! `X-Request-Id`: the caller's, where it is usable, else a fresh one; and the ids as header values.

use bytes::Bytes;
use http::HeaderValue;

use crate::trace_context::hex;
use crate::trace_context::ids::TraceId;

/// The longest request id that is taken over, in bytes.
const MAX_LENGTH: usize = 128;
/// Digits of a trace id, which come first in a [`FreshText`].
const TRACE_ID: usize = 32;
const BOTH_IDS: usize = TRACE_ID + 16;

/// The request id, in a form that shares its text with the headers it is put into.
pub(crate) enum RequestId {
    /// The caller's own header value.
    Given(HeaderValue),
    /// The trace id, then the fresh request id: one allocation for the three header values made of them.
    Fresh(Bytes),
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
    pub(crate) fn new(header: Option<&HeaderValue>, trace_id: &TraceId) -> Self {
        let usable = |value: &&HeaderValue| {
            (1..=MAX_LENGTH).contains(&value.len()) && value.as_bytes().iter().all(u8::is_ascii_graphic)
        };
        match header.filter(usable) {
            Some(value) => Self::Given(value.clone()),
            None => {
                let mut text = [0; BOTH_IDS];
                text[..TRACE_ID].copy_from_slice(trace_id.as_bytes());
                text[TRACE_ID..].copy_from_slice(&hex::random());
                Self::Fresh(Bytes::from_owner(FreshText(text)))
            }
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        let bytes = match self {
            Self::Given(value) => value.as_bytes(),
            Self::Fresh(text) => &text[TRACE_ID..],
        };
        str::from_utf8(bytes).expect("visible ASCII was asked for")
    }

    /// Whether the caller sent it.
    pub(crate) fn is_given(&self) -> bool {
        matches!(self, Self::Given(_))
    }

    /// The request id as a header value that shares its text.
    pub(crate) fn to_header(&self) -> HeaderValue {
        match self {
            Self::Given(value) => value.clone(),
            Self::Fresh(text) => header(text.slice(TRACE_ID..)),
        }
    }

    /// The trace id that this was made with, as a header value.
    pub(crate) fn trace_id_to_header(&self, trace_id: &TraceId) -> HeaderValue {
        match self {
            Self::Given(_) => header(Bytes::copy_from_slice(trace_id.as_bytes())),
            Self::Fresh(text) => header(text.slice(..TRACE_ID)),
        }
    }
}

fn header(digits: Bytes) -> HeaderValue {
    HeaderValue::from_maybe_shared(digits).expect("hexadecimal digits are a header value")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(value: &[u8]) -> bool {
        let header = HeaderValue::from_bytes(value).unwrap();
        RequestId::new(Some(&header), &TraceId::random()).as_str().as_bytes() == value
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
        assert_eq!(RequestId::new(None, &TraceId::random()).as_str().len(), 16);
    }

    #[test]
    fn header_values_say_what_the_ids_say() {
        let trace_id = TraceId::random();
        for given in [None, Some(&HeaderValue::from_static("given"))] {
            let id = RequestId::new(given, &trace_id);
            assert_eq!(id.to_header(), id.as_str());
            assert_eq!(id.trace_id_to_header(&trace_id), trace_id.as_str());
        }
    }
}
