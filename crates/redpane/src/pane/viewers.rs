//! The places of live feeds.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The most live feeds.
pub(super) const VIEWERS: usize = 16;
/// A viewer that has taken nothing for this long gives its place to another: a laptop that sleeps does not say so.
const ASLEEP: Duration = Duration::from_secs(30);

#[derive(Clone, Copy)]
struct Place {
    number: u64,
    taken: Instant,
}

#[derive(Default)]
struct State {
    places: Vec<Place>,
    next: u64,
}

/// See the module.
#[derive(Default)]
pub(super) struct Viewers(Mutex<State>);

impl Viewers {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn count(&self) -> usize {
        self.lock().places.len()
    }

    /// A place, if there is one.
    pub(super) fn enter(self: &Arc<Self>, now: Instant) -> Option<Viewer> {
        let mut state = self.lock();
        if state.places.len() >= VIEWERS {
            let asleep = |place: &Place| now.duration_since(place.taken) >= ASLEEP;
            let longest = state.places.iter().position(asleep)?;
            state.places.remove(longest);
        }
        state.next += 1;
        let number = state.next;
        state.places.push(Place { number, taken: now });
        Some(Viewer { viewers: Arc::clone(self), number })
    }
}

/// A place among the viewers, until it is dropped or given away.
pub(super) struct Viewer {
    viewers: Arc<Viewers>,
    number: u64,
}

impl Viewer {
    /// Says that it takes something. Whether it still has its place.
    pub(super) fn take(&self, now: Instant) -> bool {
        let mut state = self.viewers.lock();
        let own = state.places.iter_mut().find(|place| place.number == self.number);
        own.map(|place| place.taken = now).is_some()
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.viewers.lock().places.retain(|place| place.number != self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_sleeps_makes_room_and_others_do_not() {
        let (viewers, start) = (Arc::<Viewers>::default(), Instant::now());
        let all: Vec<_> = (0..VIEWERS).map(|_| viewers.enter(start).unwrap()).collect();
        assert!(viewers.enter(start).is_none());
        let later = start + ASLEEP;
        all.iter().skip(1).for_each(|viewer| assert!(viewer.take(later)));
        let new = viewers.enter(later).unwrap();
        assert!(!all[0].take(later), "it was asleep");
        assert!(viewers.enter(later).is_none());
        drop(all);
        assert_eq!(viewers.count(), 1);
        drop(new);
        assert_eq!(viewers.count(), 0);
    }
}
