//! The header `traceparent`.

use super::hex;
use super::ids::{SpanId, TraceId};

/// Trace flag `sampled`: the caller may have recorded the trace.
const SAMPLED: u8 = 0x01;
/// The flags of a trace that starts here: its lines are written, so it is sampled.
pub(crate) const FRESH_FLAGS: u8 = SAMPLED;

/// What a valid `traceparent` header says: the ids of a span, as the parent of whatever comes below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TraceParent {
    /// The trace that the span belongs to.
    pub trace_id: TraceId,
    /// The span itself; in a request, the caller's.
    pub parent_id: SpanId,
    /// The flags byte; only the bit `sampled` (1) has a meaning in version 00.
    pub flags: u8,
}

impl TraceParent {
    /// The ids of a span; [`Redpane::ids_from`](crate::Redpane::ids_from) takes them.
    #[must_use]
    pub fn new(trace_id: TraceId, span_id: SpanId, sampled: bool) -> Self {
        Self { trace_id, parent_id: span_id, flags: if sampled { SAMPLED } else { 0 } }
    }

    /// Reads the value of a `traceparent` header. `None` for anything that the standard calls invalid: another length,
    /// upper case digits, ids of zeros only, version `ff`, or trailing text in version 00. A higher version may be longer,
    /// if a dash follows the flags.
    #[must_use]
    pub fn from_header(value: &[u8]) -> Option<Self> {
        let dashes = [2, 35, 52].map(|at| value.get(at) == Some(&b'-'));
        if value.len() < 55 || dashes.contains(&false) {
            return None;
        }
        let version = hex::byte(&value[..2])?;
        match version {
            0xff => return None,
            0 if value.len() != 55 => return None,
            _ if value.len() > 55 && value[55] != b'-' => return None,
            _ => {}
        }
        Some(Self {
            trace_id: TraceId::from_digits(&value[3..35])?,
            parent_id: SpanId::from_digits(&value[36..52])?,
            flags: hex::byte(&value[53..55])?,
        })
    }

    pub(crate) fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// The flags to pass on: unknown bits are cleared, as the standard asks of a participant in version 00.
    pub(crate) fn known_flags(&self) -> u8 {
        self.flags & SAMPLED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_valid_header_is_read() {
        let parent = TraceParent::from_header(VALID.as_bytes()).expect("the standard's own example");
        assert_eq!(parent.trace_id.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(parent.parent_id.to_string(), "00f067aa0ba902b7");
        assert_eq!(parent.flags, 1);
    }

    #[test]
    fn a_higher_version_may_be_longer_after_a_dash() {
        let ids = &VALID[2..];
        assert!(TraceParent::from_header(format!("cc{ids}").as_bytes()).is_some());
        assert!(TraceParent::from_header(format!("cc{ids}-what-comes-later").as_bytes()).is_some());
        assert!(TraceParent::from_header(format!("cc{ids}.no-dash").as_bytes()).is_none());
        assert!(TraceParent::from_header(format!("00{ids}-extra").as_bytes()).is_none());
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
            assert_eq!(TraceParent::from_header(broken.as_bytes()), None, "{broken:?}");
        }
    }
}
