//! Sharding: each thread counts in cells of its own, so that cores do not fight for a cache line.

use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::thread;

/// More shards than this cost more memory and render time than they save.
const MAX_SHARDS: usize = 4;

/// How many shards there are: one a core, within bounds.
pub(crate) fn count() -> usize {
    static COUNT: OnceLock<usize> = OnceLock::new();
    *COUNT.get_or_init(|| thread::available_parallelism().map_or(1, usize::from).min(MAX_SHARDS))
}

/// The shard of the calling thread.
pub(crate) fn mine() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    const NONE: usize = usize::MAX;
    thread_local! {
        static MINE: Cell<usize> = const { Cell::new(NONE) };
    }
    match MINE.get() {
        NONE => {
            let shard = NEXT.fetch_add(1, Ordering::Relaxed) % count();
            MINE.set(shard);
            shard
        }
        shard => shard,
    }
}

/// Keeps what one core writes away from what another does: two cache lines, because processors fetch them in pairs.
#[repr(align(128))]
#[derive(Default)]
pub(crate) struct Padded<T>(pub(crate) T);

/// A gauge that goes up on one thread and down on another.
pub(crate) struct InFlight(Box<[Padded<AtomicI64>]>);

impl InFlight {
    pub(crate) fn new() -> Self {
        Self((0..count()).map(|_| Padded::default()).collect())
    }

    pub(crate) fn enter(&self) {
        self.0[mine()].0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn leave(&self) {
        // With the `Acquire` of `get`: who sees the request gone sees what it left behind.
        self.0[mine()].0.fetch_sub(1, Ordering::Release);
    }

    /// The sum. Cells are read one after the other, so a request that moved on meanwhile may show on neither side;
    /// never less than zero.
    pub(crate) fn get(&self) -> u64 {
        let sum: i64 = self.0.iter().map(|cell| cell.0.load(Ordering::Acquire)).sum();
        u64::try_from(sum).unwrap_or(0)
    }
}

/// A counter that any thread adds to.
pub(crate) struct Counter(Box<[Padded<AtomicU64>]>);

impl Counter {
    pub(crate) fn new() -> Self {
        Self((0..count()).map(|_| Padded::default()).collect())
    }

    pub(crate) fn add(&self) {
        self.0[mine()].0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.iter().map(|cell| cell.0.load(Ordering::Relaxed)).sum()
    }
}
