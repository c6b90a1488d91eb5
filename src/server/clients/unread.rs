//! HTTP/1: bytes that came and are no request yet.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::account::signed;
use crate::server::builders::HEAD_LIMIT;

/// How far a count may be off at the end of a request: nobody knows how many bytes of framing there were.
const FRAMING: isize = 256;

/// Bytes read that are no request yet, and no part of a body that was passed on.
#[derive(Default)]
pub(super) struct Unread {
    /// Bytes that came. The connection's task alone adds to it, as to the next: most requests need no atomic addition.
    came: AtomicUsize,
    /// Of these, bytes of heads.
    heads: AtomicUsize,
    /// Of these, bytes of bodies. Whoever reads one adds to it.
    bodies: AtomicUsize,
    /// At the end of the last request something was left, if only framing.
    has_more: AtomicBool,
}

impl Unread {
    /// Bytes came. Called by the connection's task only.
    pub(super) fn add(&self, bytes: usize) {
        // Two that remove the same rest at once leave less than nothing, which must not hide what comes.
        let missing = self.left().min(0).unsigned_abs();
        self.came.store(self.came.load(Ordering::Relaxed).wrapping_add(bytes + missing), Ordering::Release);
    }

    /// A head became a request; `is_end`: one without a body. Called by the connection's task only.
    pub(super) fn remove_head(&self, bytes: usize, is_end: bool) {
        let removed = signed(bytes) + self.rest(self.left() - signed(bytes), is_end);
        let heads = self.heads.load(Ordering::Relaxed);
        self.heads.store(heads.wrapping_add_signed(removed), Ordering::Release);
    }

    /// Bytes of a body were passed on; `is_end`: it came to its end with them.
    pub(super) fn remove_body(&self, bytes: usize, is_end: bool) {
        let rest = self.rest(self.left() - signed(bytes), is_end);
        self.bodies.fetch_add(bytes.wrapping_add_signed(rest), Ordering::Release);
    }

    /// What came of a body is gone, however much it was.
    pub(super) fn forget(&self) {
        self.has_more.store(true, Ordering::Relaxed);
        self.bodies.fetch_add(self.left().cast_unsigned(), Ordering::Release);
    }

    /// In bytes, as far as they may be a head.
    pub(super) fn bytes(&self) -> usize {
        usize::try_from(self.left()).unwrap_or(0).min(HEAD_LIMIT)
    }

    /// Whether nothing at all came behind the last request, as far as is known.
    pub(super) fn is_surely_none(&self) -> bool {
        !self.has_more.load(Ordering::Relaxed)
    }

    /// What goes with bytes that are removed, where this would be `left` without it.
    fn rest(&self, left: isize, is_end: bool) -> isize {
        if is_end {
            self.has_more.store(left != 0, Ordering::Relaxed);
        }
        if left < 0 || is_end && left < FRAMING { left } else { 0 }
    }

    fn left(&self) -> isize {
        // In this order: what was passed on has come.
        let passed_on = self.heads.load(Ordering::Acquire).wrapping_add(self.bodies.load(Ordering::Acquire));
        self.came.load(Ordering::Acquire).wrapping_sub(passed_on).cast_signed()
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
        unread.remove_head(100, true);
        assert!(unread.is_surely_none());
        unread.add(140);
        unread.remove_head(100, true);
        assert_eq!((unread.bytes(), unread.is_surely_none()), (0, false), "framing, or the next request");
        unread.add(400);
        unread.remove_head(100, true);
        assert_eq!((unread.bytes(), unread.is_surely_none()), (300, false));
        unread.forget();
        assert_eq!((unread.bytes(), unread.is_surely_none()), (0, false));
        unread.add(500);
        unread.remove_head(100, false);
        unread.remove_body(150, false);
        assert_eq!(unread.bytes(), 250);
        unread.remove_body(260, true);
        assert_eq!((unread.bytes(), unread.is_surely_none()), (0, false), "more than what came");
        unread.add(100);
        unread.remove_body(100, true);
        assert_eq!((unread.bytes(), unread.is_surely_none()), (0, true));
    }

    #[test]
    fn what_two_have_removed_at_once_hides_nothing_that_comes() {
        let unread = Unread::default();
        unread.add(120);
        // Both have seen the 120 before either took them.
        unread.remove_head(120, true);
        unread.bodies.fetch_add(120, Ordering::Release);
        assert_eq!(unread.bytes(), 0);
        unread.add(30);
        assert_eq!(unread.bytes(), 30);
    }
}
