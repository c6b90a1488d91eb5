//! More clients than connections.

use std::time::{Duration, Instant};

use super::every_second::EverySecond;
use crate::log_targets::SERVER;

/// Without a wait for so long the next crowd is another one. A crowd that was told to come again is back sooner.
const FORGOTTEN: Duration = Crowd::LINGERS.saturating_mul(2);
/// How long connections wait until a line says so.
const LONG: Duration = Duration::from_secs(1);
/// Idle connections that are closed at once at most.
const MOST: usize = 64;

/// How long connections have had to wait for a place. Those who come back when they were closed wait behind each other, so each
/// round makes more room than the one before.
#[derive(Default)]
pub(super) struct Crowd {
    /// When the first of them waited, and when the last did.
    waits: Option<(Instant, Instant)>,
    rounds: u32,
    lines: EverySecond,
}

impl Crowd {
    /// How long a crowd is taken to be there after the last that had to wait: those behind it come one after the other. No
    /// longer, or as many busy clients as there are places would be told to come again for ever.
    pub(super) const LINGERS: Duration = Duration::from_millis(100);

    /// Whether nobody has had to wait for a while.
    pub(super) fn is_over(&self) -> bool {
        self.waits.is_none_or(|(_, last)| last.elapsed() >= Self::LINGERS)
    }

    /// A connection waits. Gives for how long there has been one that did, and how many others should make room.
    pub(super) fn waits(&mut self) -> (Duration, usize) {
        let now = Instant::now();
        let since = self.waits.filter(|(_, last)| now.duration_since(*last) < FORGOTTEN).map(|(first, _)| first);
        self.rounds = if since.is_some() { self.rounds + 1 } else { 0 };
        let since = since.unwrap_or(now);
        self.waits = Some((since, now));
        let waiting_for = now.duration_since(since);
        if waiting_for >= LONG && self.lines.let_through().is_some() {
            let seconds = waiting_for.as_secs();
            tracing::warn!(
                target: SERVER,
                seconds,
                "connections wait for others to end: REDPANE_MAX_CONNECTIONS are open, or file descriptors are short"
            );
        }
        (waiting_for, 1_usize.checked_shl(self.rounds).map_or(MOST, |rooms| rooms.clamp(1, MOST)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_round_makes_more_room_until_nobody_waits() {
        let mut crowd = Crowd::default();
        let rooms: Vec<_> = (0..9).map(|_| crowd.waits().1).collect();
        assert_eq!(rooms, [1, 2, 4, 8, 16, 32, 64, 64, 64]);
        let (first, last) = crowd.waits.expect("it waited");
        crowd.waits = last.checked_sub(FORGOTTEN).map(|last| (first, last));
        assert_eq!(crowd.waits(), (Duration::ZERO, 1));
    }

    #[test]
    fn it_is_over_when_nobody_had_to_wait_for_a_while() {
        let mut crowd = Crowd::default();
        assert!(crowd.is_over(), "nobody has come");
        crowd.waits();
        assert!(!crowd.is_over());
        crowd.waits = crowd.waits.and_then(|(first, last)| Some((first, last.checked_sub(Crowd::LINGERS)?)));
        assert!(crowd.is_over());
    }
}
