//! Spans inside of a request that ended before it: what becomes of them is decided at its end.

use std::mem;

/// The most bytes of them that wait in one request.
const MAX_BYTES: usize = 128 * 1024;

/// The spans inside of one request.
#[derive(Debug)]
pub(crate) enum ChildSpans {
    /// The request is still running.
    Waiting(WaitingSpans),
    /// It has ended, and they are kept or not.
    Decided {
        /// Whether they are.
        kept: bool,
    },
}

impl Default for ChildSpans {
    fn default() -> Self {
        Self::Waiting(WaitingSpans::default())
    }
}

/// Encoded spans, one behind the other.
#[derive(Debug, Default)]
pub(crate) struct WaitingSpans {
    encoded: Vec<u8>,
    lengths: Vec<usize>,
    /// Spans that found no room.
    pub(crate) left_out: u64,
}

impl WaitingSpans {
    /// Keeps a span, if there is room in the request, and `has_room` elsewhere.
    pub(crate) fn add(&mut self, span: &[u8], has_room: impl FnOnce() -> bool) {
        if self.encoded.len() + span.len() > MAX_BYTES || !has_room() {
            self.left_out += 1;
            return;
        }
        self.encoded.extend_from_slice(span);
        self.lengths.push(span.len());
    }

    pub(crate) fn bytes(&self) -> usize {
        self.encoded.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &self.encoded[..];
        self.lengths.iter().map(move |length| {
            let (span, behind) = rest.split_at(*length);
            rest = behind;
            span
        })
    }
}

impl ChildSpans {
    /// The request has ended. Gives what waited.
    pub(crate) fn decide(&mut self, kept: bool) -> WaitingSpans {
        match mem::replace(self, Self::Decided { kept }) {
            Self::Waiting(spans) => spans,
            Self::Decided { .. } => WaitingSpans::default(),
        }
    }
}
