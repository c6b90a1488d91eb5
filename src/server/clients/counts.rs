//! Bytes held and requests open: of one connection, and of all.

use std::sync::atomic::{AtomicIsize, AtomicU64, Ordering};

/// How far the sum over all connections may be off for each of them, in bytes, until the keeper looks the next time. Most
/// requests hold less, and so do not touch a counter that all threads share.
pub(super) const GRANULE: isize = 4096;

/// Bits of a word that count open requests; a connection has some hundred at most. Those above count bytes.
const OPEN: u32 = 16;

/// What one connection holds, in bytes, and how many of its requests are open.
///
/// Bytes and requests share a word, so that the end of a request is one atomic addition, and its beginning none: each takes as
/// long as some dozens of other instructions.
#[derive(Default)]
pub(super) struct Held {
    /// With each request that began, what it held then. The connection's task alone adds to it.
    begun: AtomicU64,
    /// What has changed since, and what has ended, by whoever had it.
    changed: AtomicU64,
    /// What the sum of all connections includes of it, and of its bytes that are no request yet.
    told: AtomicIsize,
}

impl Held {
    /// A request begins. Called by the connection's task only, and then [`check`](Self::check).
    pub(super) fn begin(&self, bytes: isize) {
        let begun = self.begun.load(Ordering::Relaxed);
        self.begun.store(begun.wrapping_add(word(bytes, 1)), Ordering::Release);
    }

    /// A request ends, which held so much. `unread`: what is held besides, as everywhere here.
    pub(super) fn end(&self, bytes: isize, unread: isize, total: &AtomicIsize) {
        self.changed.fetch_sub(word(bytes, 1), Ordering::Release);
        self.check(unread, total);
    }

    pub(super) fn change(&self, by: isize, unread: isize, total: &AtomicIsize) {
        self.changed.fetch_add(word(by, 0), Ordering::Relaxed);
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
        (self.word().cast_signed() >> OPEN) as isize
    }

    /// Requests.
    pub(super) fn open(&self) -> usize {
        (self.word() & ((1 << OPEN) - 1)) as usize
    }

    fn word(&self) -> u64 {
        // In this order: what has ended here has begun there.
        let changed = self.changed.load(Ordering::Acquire);
        self.begun.load(Ordering::Acquire).wrapping_add(changed)
    }

    /// Makes the sum include `bytes` for this connection.
    pub(super) fn tell(&self, bytes: isize, total: &AtomicIsize) {
        let told = self.told.swap(bytes, Ordering::Relaxed);
        if told != bytes {
            total.fetch_add(bytes - told, Ordering::Relaxed);
        }
    }
}

fn word(bytes: isize, requests: u64) -> u64 {
    ((bytes as i64) << OPEN).cast_unsigned() + requests
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

    #[test]
    fn requests_and_their_bytes_are_counted_apart() {
        let (held, total) = (Held::default(), AtomicIsize::new(0));
        let now = || (held.open(), held.bytes());
        let much = isize::MAX >> (OPEN + 1);
        held.begin(700);
        held.begin(much);
        assert_eq!(now(), (2, much + 700));
        held.end(much, 0, &total);
        held.change(-800, 0, &total);
        assert_eq!(now(), (1, -100), "less than none, until the rest of it comes");
        held.change(100, 0, &total);
        assert_eq!(now(), (1, 0));
        held.end(0, 0, &total);
        assert_eq!(now(), (0, 0));
    }

    #[test]
    fn a_connection_may_have_more_requests_than_the_count_has_room_for_at_once() {
        let (held, total) = (Held::default(), AtomicIsize::new(0));
        for _ in 0..(1 << OPEN) + 10 {
            held.begin(2100);
            assert_eq!((held.open(), held.bytes()), (1, 2100));
            held.end(2100, 0, &total);
        }
        assert_eq!((held.open(), held.bytes()), (0, 0));
    }

    #[test]
    fn one_begins_while_others_change_and_end() {
        const REQUESTS: isize = 20_000;
        let (held, total) = (Held::default(), AtomicIsize::new(0));
        let (begun, ends) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for bytes in ends {
                    held.change(100, 0, &total);
                    held.end(bytes + 100, 0, &total);
                }
            });
            for bytes in 0..REQUESTS {
                held.begin(bytes);
                held.check(0, &total);
                begun.send(bytes).expect("it is received to the end");
            }
            drop(begun);
        });
        assert_eq!((held.open(), held.bytes()), (0, 0));
        held.tell(0, &total);
        assert_eq!(total.load(Ordering::Relaxed), 0);
    }
}
