//! Values that are added and never taken away, each found by its number without a lock.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Room in the first chunk; each further chunk has twice the room of the one before.
const FIRST_CHUNK: u32 = 16;
/// Enough chunks for 2^32 values.
const CHUNKS: usize = 28;

type Chunk<T> = Box<[OnceLock<T>]>;

/// Values lie side by side, so that reading one touches no pointer but its chunk's, and holding one needs no reference
/// count that cores would contend for.
pub(crate) struct Arena<T> {
    chunks: [OnceLock<Chunk<T>>; CHUNKS],
    len: AtomicU32,
}

impl<T> Arena<T> {
    pub(crate) fn new() -> Self {
        Self { chunks: [const { OnceLock::new() }; CHUNKS], len: AtomicU32::new(0) }
    }

    /// Adds a value and gives its number. The caller holds a lock that keeps others from adding at the same time.
    pub(crate) fn push(&self, value: T) -> u32 {
        let number = self.len.load(Ordering::Relaxed);
        let (chunk, at) = place(number);
        let room = (FIRST_CHUNK as usize) << chunk;
        let chunk = self.chunks[chunk].get_or_init(|| (0..room).map(|_| OnceLock::new()).collect());
        assert!(chunk[at].set(value).is_ok(), "values are added under a lock");
        // With the `Acquire` of `iter`: who sees the length sees the values.
        self.len.store(number + 1, Ordering::Release);
        number
    }

    /// The value of a number that [`push`](Self::push) gave.
    pub(crate) fn get(&self, number: u32) -> &T {
        let (chunk, at) = place(number);
        let value = self.chunks[chunk].get().and_then(|chunk| chunk[at].get());
        value.expect("a number that was given stays valid")
    }

    /// All values, in the order they were added.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        (0..self.len.load(Ordering::Acquire)).map(|number| self.get(number))
    }
}

/// The chunk of a number and its place in there.
fn place(number: u32) -> (usize, usize) {
    let chunk = (number / FIRST_CHUNK + 1).ilog2();
    (chunk as usize, (number - FIRST_CHUNK * ((1 << chunk) - 1)) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_found_by_its_number() {
        let arena = Arena::new();
        for value in 0..1_000 {
            assert_eq!(arena.push(value), value);
        }
        assert!((0..1_000).all(|number| *arena.get(number) == number));
        assert!(arena.iter().copied().eq(0..1_000));
    }
}
