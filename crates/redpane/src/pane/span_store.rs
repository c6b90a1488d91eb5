//! The newest exported spans, encoded as they were sent.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// The most bytes of all batches.
const BYTES: usize = 2 * 1024 * 1024;

#[derive(Default)]
struct State {
    batches: VecDeque<Arc<[u8]>>,
    bytes: usize,
}

/// See the module.
#[derive(Default)]
pub(crate) struct SpanStore(Mutex<State>);

impl SpanStore {
    /// Takes a batch. The oldest ones make room.
    #[cfg_attr(not(feature = "otlp"), expect(dead_code, reason = "no spans are exported"))]
    pub(crate) fn append(&self, batch: &[u8]) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.batches.push_back(batch.into());
        state.bytes += batch.len();
        while state.bytes > BYTES {
            let Some(oldest) = state.batches.pop_front() else { break };
            state.bytes -= oldest.len();
        }
    }

    /// All batches, the oldest first.
    pub(super) fn batches(&self) -> Vec<Arc<[u8]>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).batches.iter().cloned().collect()
    }

    pub(super) fn bytes(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept() {
        let store = SpanStore::default();
        (0..100_u8).for_each(|number| store.append(&vec![number; 100_000]));
        assert!(store.bytes() <= BYTES && store.bytes() > BYTES - 100_000);
        let batches = store.batches();
        assert_eq!((batches.len(), batches[0][0], batches.last().unwrap()[0]), (20, 80, 99));
    }
}
