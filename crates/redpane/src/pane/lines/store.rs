//! The newest log lines in chunks of a fixed size.
//!
//! The thread that writes the log appends whole batches. Whoever reads gets the full chunks shared and a copy of the one that
//! is being filled, so that the log never waits for a search.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::head::{Stamp, stamp, stamp_ms};

/// Bytes of a chunk, and how many there are.
const CHUNK: usize = 256 * 1024;
const CHUNKS: usize = 64;

/// Lines that lie together. Their numbers follow each other.
pub(in crate::pane) struct Chunk {
    pub(super) first_id: u64,
    pub(super) text: Vec<u8>,
    /// Where each line begins.
    pub(super) starts: Vec<u32>,
    /// The earliest and the latest time of its lines.
    from: Stamp,
    to: Stamp,
}

impl Default for Chunk {
    fn default() -> Self {
        Self { first_id: 0, text: Vec::new(), starts: Vec::new(), from: [b'0'; 23], to: [b'0'; 23] }
    }
}

impl Chunk {
    /// The line of a place, without its line break.
    pub(super) fn line(&self, at: usize) -> &[u8] {
        let start = self.starts[at] as usize;
        let end = self.starts.get(at + 1).map_or(self.text.len(), |next| *next as usize);
        self.text[start..end].trim_ascii_end()
    }

    /// The earliest time of its lines, in milliseconds since 1970.
    pub(super) fn start_ms(&self) -> u64 {
        stamp_ms(&self.from).unwrap_or(0)
    }

    /// The latest.
    pub(super) fn end_ms(&self) -> u64 {
        stamp_ms(&self.to).unwrap_or(u64::MAX)
    }

    fn push(&mut self, line: &[u8], time: Stamp) {
        if self.starts.is_empty() {
            (self.from, self.to) = (time, time);
        }
        // Lines come in the order of time, nearly.
        if time > self.to {
            self.to = time;
        } else if time < self.from {
            self.from = time;
        }
        self.starts.push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
        self.text.extend_from_slice(line);
    }

    /// A copy of the lines from a place on.
    fn tail(&self, at: usize) -> Self {
        let Some(&start) = self.starts.get(at) else {
            return Self { first_id: self.first_id + at as u64, ..Self::default() };
        };
        Self {
            first_id: self.first_id + at as u64,
            text: self.text[start as usize..].to_vec(),
            starts: self.starts[at..].iter().map(|begin| begin - start).collect(),
            from: self.from,
            to: self.to,
        }
    }

    fn bytes(&self) -> usize {
        self.text.capacity() + self.starts.capacity() * size_of::<u32>()
    }
}

#[derive(Default)]
struct State {
    full: VecDeque<Arc<Chunk>>,
    current: Chunk,
    next_id: u64,
}

/// See the module.
#[derive(Default)]
pub(crate) struct LineStore(Mutex<State>);

impl LineStore {
    fn lock(&self) -> MutexGuard<'_, State> {
        // No line is appended half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes whole lines, each with its line break.
    pub(crate) fn append(&self, batch: &[u8]) {
        let mut state = self.lock();
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', batch) {
            let line = &batch[start..=end];
            start = end + 1;
            // What has no timestamp is the end of a line that an earlier write tore.
            let Some(time) = stamp(line).filter(|_| line.len() <= CHUNK) else { continue };
            if state.current.text.len() + line.len() > CHUNK {
                state.next_chunk();
            }
            if state.current.text.capacity() == 0 {
                state.current.text.reserve_exact(CHUNK);
            }
            state.current.push(line, time);
            state.next_id += 1;
        }
    }

    /// The number that the next line gets.
    pub(in crate::pane) fn next_id(&self) -> u64 {
        self.lock().next_id
    }

    /// The chunks with lines from a number on, the oldest first.
    pub(in crate::pane) fn since(&self, id: u64) -> Vec<Arc<Chunk>> {
        let state = self.lock();
        let is_wanted = |chunk: &&Arc<Chunk>| chunk.first_id + chunk.starts.len() as u64 > id;
        let mut chunks: Vec<_> = state.full.iter().filter(is_wanted).cloned().collect();
        let at = usize::try_from(id.saturating_sub(state.current.first_id)).unwrap_or(usize::MAX);
        if at < state.current.starts.len() {
            chunks.push(Arc::new(state.current.tail(at)));
        }
        chunks
    }

    /// How many lines are held, and the time of the oldest in milliseconds since 1970.
    pub(in crate::pane) fn held(&self) -> (u64, Option<u64>) {
        let state = self.lock();
        let oldest = state.full.front().map_or(&state.current, |chunk| chunk);
        let time = (!oldest.starts.is_empty()).then_some(oldest.start_ms());
        (state.next_id - oldest.first_id, time)
    }

    pub(in crate::pane) fn bytes(&self) -> usize {
        let state = self.lock();
        state.current.bytes() + state.full.iter().map(|chunk| chunk.bytes()).sum::<usize>()
    }
}

impl State {
    /// Begins another chunk, in the memory of the oldest where there are enough.
    fn next_chunk(&mut self) {
        let oldest = if self.full.len() + 1 >= CHUNKS { self.full.pop_front() } else { None };
        // One that is being read leaves its memory to whoever reads it.
        let mut next = oldest.and_then(|chunk| Arc::try_unwrap(chunk).ok()).unwrap_or_default();
        next.text.clear();
        next.starts.clear();
        next.first_id = self.next_id;
        self.full.push_back(Arc::new(mem::replace(&mut self.current, next)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(number: usize, length: usize) -> Vec<u8> {
        let time = format!(
            "{{\"timestamp\":\"2026-01-02T03:04:{:02}.{:03}000Z\",\"level\":\"INFO\",\"n\":{number},\"x\":\"",
            number / 1000 % 60,
            number % 1000
        );
        let padding = "x".repeat(length.saturating_sub(time.len() + 3));
        format!("{time}{padding}\"}}\n").into_bytes()
    }

    #[test]
    fn the_newest_lines_are_kept_and_memory_is_bounded() {
        let store = LineStore::default();
        for number in 0..60_000 {
            store.append(&line(number, 400));
        }
        let (held, oldest) = store.held();
        assert!(store.bytes() <= CHUNKS * (CHUNK + CHUNK / 32), "{}", store.bytes());
        assert!(held as usize * 400 > (CHUNKS - 2) * CHUNK && held as usize * 400 <= CHUNKS * CHUNK, "{held} lines");
        let chunks = store.since(0);
        assert_eq!(chunks.iter().map(|chunk| chunk.starts.len() as u64).sum::<u64>(), held);
        assert_eq!(oldest, stamp_ms(&stamp(chunks[0].line(0)).unwrap()));
        assert_eq!(store.next_id(), 60_000);
        let newest = store.since(59_998);
        assert_eq!((newest.len(), newest[0].first_id, newest[0].starts.len()), (1, 59_998, 2));
        assert_eq!(newest[0].line(1), line(59_999, 400).trim_ascii_end());
    }

    #[test]
    fn what_is_no_line_is_left_out() {
        let store = LineStore::default();
        store.append(b"half of a line\"}\n");
        store.append(&[line(1, 100), line(2, CHUNK + 1), line(3, 100)].concat());
        assert_eq!(store.held().0, 2);
    }
}
