//! Bytes held, of one connection and of all.

use std::sync::atomic::{AtomicIsize, Ordering};

/// How far the sum over all connections may be off for each of them, in bytes, until the keeper looks the next time. Most
/// requests hold less, and so do not touch a counter that all threads share.
pub(super) const GRANULE: isize = 4096;

/// What one connection holds, in bytes.
#[derive(Default)]
pub(super) struct Held {
    bytes: AtomicIsize,
    /// What the sum of all connections includes of it, and of its bytes that are no request yet.
    told: AtomicIsize,
}

impl Held {
    /// `unread`: what is held besides.
    pub(super) fn change(&self, by: isize, unread: isize, total: &AtomicIsize) {
        self.bytes.fetch_add(by, Ordering::Relaxed);
        self.check(unread, total);
    }

    /// Tells the sum where it has become wrong.
    pub(super) fn check(&self, unread: isize, total: &AtomicIsize) {
        let held = self.bytes() + unread;
        if (held - self.told.load(Ordering::Relaxed)).abs() >= GRANULE {
            self.tell(held, total);
        }
    }

    pub(super) fn bytes(&self) -> isize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Makes the sum include `bytes` for this connection.
    pub(super) fn tell(&self, bytes: isize, total: &AtomicIsize) {
        let told = self.told.swap(bytes, Ordering::Relaxed);
        if told != bytes {
            total.fetch_add(bytes - told, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_exact_once_it_was_told() {
        let total = AtomicIsize::new(0);
        let (one, other) = (Held::default(), Held::default());
        one.change(GRANULE - 1, 0, &total);
        assert_eq!(one.bytes(), GRANULE - 1);
        assert_eq!(total.load(Ordering::Relaxed), 0, "too little to tell");
        one.change(1, 0, &total);
        other.change(GRANULE, 2 * GRANULE, &total);
        assert_eq!(total.load(Ordering::Relaxed), 4 * GRANULE);
        one.change(-1, 0, &total);
        one.tell(one.bytes(), &total);
        assert_eq!(total.load(Ordering::Relaxed), 4 * GRANULE - 1);
        other.check(0, &total);
        assert_eq!(total.load(Ordering::Relaxed), 2 * GRANULE - 1, "unread bytes are gone");
        other.tell(0, &total);
        one.tell(0, &total);
        assert_eq!(total.load(Ordering::Relaxed), 0);
    }
}
