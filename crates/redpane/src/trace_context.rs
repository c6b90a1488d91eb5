//! W3C Trace Context: the ids of a request, read from `traceparent` and written for the next service.
//!
//! Standard: <https://www.w3.org/TR/trace-context/>. A header that breaks any of its rules is ignored as a whole:
//! the request then starts a trace of its own and is never refused for it.

use std::cell::RefCell;
use std::fmt;
use std::str;

use rand::rngs::{OsRng, SmallRng};
use rand::{RngCore, SeedableRng};

/// The two hexadecimal digits of every byte.
static HEX: [[u8; 2]; 256] = {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = [DIGITS[byte >> 4], DIGITS[byte & 0x0f]];
        byte += 1;
    }
    pairs
};
/// Trace flag `sampled`: the caller may have recorded the trace.
const SAMPLED: u8 = 0x01;

/// A trace id: 16 bytes, never all zero, kept as the 32 lowercase hexadecimal digits that headers, lines and exemplars show.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId([u8; 32]);

/// A span id (`parent-id` in the standard): 8 bytes, never all zero, kept as 16 lowercase hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId([u8; 16]);

/// What a valid `traceparent` header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TraceParent {
    /// The trace that the caller takes part in.
    pub trace_id: TraceId,
    /// The caller's own span.
    pub parent_id: SpanId,
    /// The flags byte; only the bit `sampled` (1) has a meaning in version 00.
    pub flags: u8,
}

impl TraceParent {
    /// Reads a `traceparent` header value. `None` for anything that the standard calls invalid: another length, upper
    /// case digits, ids of zeros only, version `ff`, or trailing text in version 00. A higher version may be longer,
    /// if a dash follows the flags.
    #[must_use]
    pub fn parse(header: &[u8]) -> Option<Self> {
        let dashes = [2, 35, 52].map(|at| header.get(at) == Some(&b'-'));
        if header.len() < 55 || dashes.contains(&false) {
            return None;
        }
        let version = hex_byte(&header[..2])?;
        match version {
            0xff => return None,
            0 if header.len() != 55 => return None,
            _ if header.len() > 55 && header[55] != b'-' => return None,
            _ => {}
        }
        Some(Self {
            trace_id: TraceId::from_hex(&header[3..35])?,
            parent_id: SpanId::from_hex(&header[36..52])?,
            flags: hex_byte(&header[53..55])?,
        })
    }

    /// The flags to pass on: unknown bits are cleared, as the standard asks of a participant in version 00.
    pub(crate) fn known_flags(&self) -> u8 {
        self.flags & SAMPLED
    }
}

/// The flags of a trace that starts here: its lines are written, so it is sampled.
pub(crate) const FRESH_FLAGS: u8 = SAMPLED;

impl TraceId {
    /// A random trace id.
    #[must_use]
    pub fn random() -> Self {
        let mut hex = [0; 32];
        hex[..16].copy_from_slice(&random_hex());
        hex[16..].copy_from_slice(&random_hex());
        Self(hex)
    }

    /// From exactly 32 lowercase hexadecimal digits that are not all `0`.
    pub fn from_hex(digits: &[u8]) -> Option<Self> {
        valid_id(digits)?.try_into().ok().map(Self)
    }

    /// The 32 digits.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl SpanId {
    /// A random span id.
    #[must_use]
    pub fn random() -> Self {
        Self(random_hex())
    }

    /// From exactly 16 lowercase hexadecimal digits that are not all `0`.
    pub fn from_hex(digits: &[u8]) -> Option<Self> {
        valid_id(digits)?.try_into().ok().map(Self)
    }

    /// The 16 digits.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

macro_rules! show_digits {
    ($($id:ty),*) => {$(
        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(str::from_utf8(&self.0).expect("hexadecimal digits are ASCII"))
            }
        }

        impl fmt::Debug for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )*};
}
show_digits!(TraceId, SpanId);

fn valid_id(digits: &[u8]) -> Option<&[u8]> {
    // One pass without a branch: this runs over 48 bytes of every request that has a caller's trace.
    let (all, any) = digits
        .iter()
        .map(|&digit| VALUE[usize::from(digit)])
        .fold((0, 0), |(all, any), value| (all | value & INVALID, any | value));
    (all == 0 && any != 0).then_some(digits)
}

/// Set in what stands for a byte that is no digit.
const INVALID: u8 = 0x80;

/// The value of every lowercase hexadecimal digit, [`INVALID`] for all other bytes.
static VALUE: [u8; 256] = {
    let mut values = [INVALID; 256];
    let mut value = 0;
    while value < 16 {
        values[HEX[value][1] as usize] = value as u8;
        value += 1;
    }
    values
};

fn hex_byte(digits: &[u8]) -> Option<u8> {
    let [high, low] = [0, 1].map(|at| VALUE[usize::from(digits[at])]);
    ((high | low) & INVALID == 0).then_some(high << 4 | low)
}

thread_local! {
    // One generator a thread, seeded by the operating system: unique ids without a lock or a system call a request.
    static RANDOM: RefCell<SmallRng> = RefCell::new(
        SmallRng::try_from_rng(&mut OsRng).expect("the operating system has random numbers to give"),
    );
}

/// 16 random hexadecimal digits, never all zero.
pub(crate) fn random_hex() -> [u8; 16] {
    let number = RANDOM.with_borrow_mut(RngCore::next_u64).max(1);
    let mut hex = [0; 16];
    for (pair, byte) in hex.chunks_exact_mut(2).zip(number.to_be_bytes()) {
        pair.copy_from_slice(&HEX[usize::from(byte)]);
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_valid_header_is_read() {
        let parent = TraceParent::parse(VALID.as_bytes()).expect("the standard's own example");
        assert_eq!(parent.trace_id.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(parent.parent_id.to_string(), "00f067aa0ba902b7");
        assert_eq!(parent.flags, 1);
    }

    #[test]
    fn a_higher_version_may_be_longer_after_a_dash() {
        let ids = &VALID[2..];
        assert!(TraceParent::parse(format!("cc{ids}").as_bytes()).is_some());
        assert!(TraceParent::parse(format!("cc{ids}-what-comes-later").as_bytes()).is_some());
        assert!(TraceParent::parse(format!("cc{ids}.no-dash").as_bytes()).is_none());
        assert!(TraceParent::parse(format!("00{ids}-extra").as_bytes()).is_none());
    }

    #[test]
    fn whatever_breaks_a_rule_is_ignored() {
        for broken in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "0g-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-zz",
            "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
            " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceParent::parse(broken.as_bytes()), None, "{broken:?}");
        }
    }

    #[test]
    fn random_ids_are_valid_and_differ() {
        let (one, other) = (TraceId::random(), TraceId::random());
        assert_ne!(one, other);
        assert_eq!(TraceId::from_hex(one.as_bytes()), Some(one));
        let span = SpanId::random();
        assert_eq!(SpanId::from_hex(span.as_bytes()), Some(span));
    }
}
