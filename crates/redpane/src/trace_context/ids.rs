//! Trace ids and span ids.

use std::fmt;
use std::str::{self, FromStr};

use super::hex::{self, Generator};

/// A trace id: 16 bytes, never all zero, kept as the 32 lowercase hexadecimal digits that headers, lines and exemplars show.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId([u8; 32]);

/// A span id (`parent-id` in the standard): 8 bytes, never all zero, kept as 16 lowercase hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId([u8; 16]);

/// A text that is no id: it has another length, other characters than lowercase hexadecimal digits, or zeros only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidId {
    /// How many digits the id must have.
    pub digits: usize,
}

impl fmt::Display for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an id is {} lowercase hexadecimal digits, not all of them 0", self.digits)
    }
}

impl std::error::Error for InvalidId {}

macro_rules! id {
    ($id:ident, $digits:literal) => {
        impl $id {
            /// The digits, as ASCII.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; $digits] {
                &self.0
            }

            /// The digits, as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                str::from_utf8(&self.0).expect("hexadecimal digits are ASCII")
            }

            #[inline]
            pub(super) fn from_digits(digits: &[u8]) -> Option<Self> {
                if hex::is_id(digits) { digits.try_into().ok().map(Self) } else { None }
            }
        }

        /// The id as bytes, as other libraries keep it. Bytes of zeros only are no id.
        impl TryFrom<[u8; $digits / 2]> for $id {
            type Error = InvalidId;

            fn try_from(bytes: [u8; $digits / 2]) -> Result<Self, InvalidId> {
                let mut digits = [0; $digits];
                for (digits, byte) in digits.as_chunks_mut().0.iter_mut().zip(bytes) {
                    *digits = hex::digits_of(byte);
                }
                if bytes.iter().all(|byte| *byte == 0) { Err(InvalidId { digits: $digits }) } else { Ok(Self(digits)) }
            }
        }

        impl FromStr for $id {
            type Err = InvalidId;

            fn from_str(digits: &str) -> Result<Self, InvalidId> {
                Self::from_digits(digits.as_bytes()).ok_or(InvalidId { digits: $digits })
            }
        }

        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}
id!(TraceId, 32);
id!(SpanId, 16);

impl TraceId {
    /// A random trace id.
    #[must_use]
    pub fn random() -> Self {
        hex::generate(Self::generate)
    }

    pub(crate) fn generate(random: &mut Generator<'_>) -> Self {
        let mut digits = [0; 32];
        digits[..16].copy_from_slice(&random.digits());
        digits[16..].copy_from_slice(&random.digits());
        Self(digits)
    }
}

impl SpanId {
    /// A random span id.
    #[must_use]
    pub fn random() -> Self {
        hex::generate(Self::generate)
    }

    pub(crate) fn generate(random: &mut Generator<'_>) -> Self {
        Self(random.digits())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_ids_are_valid_and_differ() {
        let (one, other) = (TraceId::random(), TraceId::random());
        assert_ne!(one, other);
        assert_eq!(one.to_string().parse(), Ok(one));
        let span = SpanId::random();
        assert_eq!(span.to_string().parse(), Ok(span));
    }

    #[test]
    fn bytes_are_ids_unless_they_are_zeros() {
        let bytes = [0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6, 0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e, 0x47, 0x36];
        assert_eq!(TraceId::try_from(bytes).unwrap().as_str(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(SpanId::try_from([0, 0, 0, 0, 0, 0, 0, 1]).unwrap().as_str(), "0000000000000001");
        assert_eq!(TraceId::try_from([0; 16]), Err(InvalidId { digits: 32 }));
        assert_eq!(SpanId::try_from([0; 8]), Err(InvalidId { digits: 16 }));
    }

    #[test]
    fn what_is_no_id_says_what_one_is() {
        for text in ["", "0", &"0".repeat(16), &"A".repeat(16), &"a".repeat(17)] {
            let error = text.parse::<SpanId>().unwrap_err();
            assert_eq!(error.to_string(), "an id is 16 lowercase hexadecimal digits, not all of them 0");
        }
    }
}
