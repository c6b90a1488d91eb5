//! HTTP/1: bytes that came and are no request yet.

use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering};

use super::account::signed;
use crate::server::builders::HEAD_LIMIT;

/// How far a count may be off at the end of a request: nobody knows how many bytes of framing there were.
const FRAMING: isize = 256;

/// Bytes read that are no request yet, and no part of a body that was passed on.
#[derive(Default)]
pub(super) struct Unread {
    bytes: AtomicIsize,
    /// At the end of the last request something was left, if only framing.
    has_more: AtomicBool,
}

impl Unread {
    /// Bytes came.
    pub(super) fn add(&self, bytes: usize) {
        self.bytes.fetch_add(signed(bytes), Ordering::Release);
    }

    /// Bytes that came were passed on; `is_end`: a request came to its end with them.
    pub(super) fn remove(&self, bytes: usize, is_end: bool) {
        let left = self.bytes.fetch_sub(signed(bytes), Ordering::Relaxed) - signed(bytes);
        if is_end {
            self.has_more.store(left != 0, Ordering::Relaxed);
        }
        if left < 0 || is_end && left < FRAMING {
            self.bytes.store(0, Ordering::Relaxed);
        }
    }

    /// What came of a body is gone, however much it was.
    pub(super) fn forget(&self) {
        self.has_more.store(true, Ordering::Relaxed);
        self.bytes.store(0, Ordering::Relaxed);
    }

    /// In bytes, as far as they may be a head.
    pub(super) fn bytes(&self) -> usize {
        usize::try_from(self.bytes.load(Ordering::Acquire)).unwrap_or(0).min(HEAD_LIMIT)
    }

    /// Whether nothing at all came behind the last request, as far as is known.
    pub(super) fn is_surely_none(&self) -> bool {
        !self.has_more.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_known_to_be_none_or_not_known() {
        let unread = Unread::default();
        unread.add(100);
        assert_eq!(unread.bytes(), 100);
        unread.remove(100, true);
        assert!(unread.is_surely_none());
        unread.add(140);
        unread.remove(100, true);
        assert_eq!((unread.bytes(), unread.is_surely_none()), (0, false), "framing, or the next request");
        unread.add(400);
        unread.remove(100, true);
        assert_eq!((unread.bytes(), unread.is_surely_none()), (300, false));
        unread.forget();
        assert_eq!((unread.bytes(), unread.is_surely_none()), (0, false));
    }
}
