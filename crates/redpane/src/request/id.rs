//! `X-Request-Id`: the caller's, where it is usable, else a fresh one.

use http::HeaderValue;

use crate::logs::json;
use crate::trace_context::random_hex;

/// The longest request id that is taken over, in bytes.
const MAX_LENGTH: usize = 128;

pub(crate) enum RequestId {
    Given(HeaderValue),
    Fresh([u8; 16]),
}

impl RequestId {
    /// Takes 1 to [`MAX_LENGTH`] visible ASCII characters (0x21 to 0x7e); anything else is replaced.
    pub(crate) fn from_header(header: Option<&HeaderValue>) -> Self {
        let usable = |value: &&HeaderValue| {
            (1..=MAX_LENGTH).contains(&value.len()) && value.as_bytes().iter().all(u8::is_ascii_graphic)
        };
        header.filter(usable).map_or_else(|| Self::Fresh(random_hex()), |value| Self::Given(value.clone()))
    }

    pub(crate) fn as_str(&self) -> &str {
        let bytes = match self {
            Self::Given(value) => value.as_bytes(),
            Self::Fresh(digits) => digits,
        };
        str::from_utf8(bytes).expect("visible ASCII was asked for")
    }

    pub(crate) fn write_json(&self, out: &mut Vec<u8>) {
        match self {
            Self::Given(value) => json::bytes_up_to(out, value.as_bytes(), MAX_LENGTH),
            // Digits need no escape.
            Self::Fresh(digits) => {
                out.push(b'"');
                out.extend_from_slice(digits);
                out.push(b'"');
            }
        }
    }

    pub(crate) fn to_header(&self) -> HeaderValue {
        match self {
            Self::Given(value) => value.clone(),
            Self::Fresh(digits) => HeaderValue::from_bytes(digits).expect("hexadecimal digits are a header value"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(value: &[u8]) -> bool {
        let header = HeaderValue::from_bytes(value).unwrap();
        RequestId::from_header(Some(&header)).as_str().as_bytes() == value
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
        assert_eq!(RequestId::from_header(None).as_str().len(), 16);
    }
}
