//! How long to wait before the next attempt.

use std::time::Duration;

use rand::Rng;
use rand::rngs::SmallRng;

const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(30);

/// Grows from a quarter of a second to half a minute, each wait a random share between half of it and all: many processes
/// that lost one receiver must not come back at once.
#[derive(Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The wait after one more failure; at least what the receiver asked for.
    pub(super) fn next(&mut self, asked: Option<Duration>, random: &mut SmallRng) -> Duration {
        let grown = FIRST.saturating_mul(1 << self.failures.min(10)).min(LONGEST);
        self.failures += 1;
        grown.mul_f64(random.random_range(0.5..=1.0)).max(asked.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn waits_grow_to_their_bound_and_honour_what_was_asked() {
        let mut random = SmallRng::seed_from_u64(7);
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..100).map(|_| backoff.next(None, &mut random)).collect();
        assert!(waits[0] <= FIRST && waits[0] >= FIRST / 2, "{waits:?}");
        assert!(waits[20..].iter().all(|wait| (LONGEST / 2..=LONGEST).contains(wait)), "{waits:?}");
        let asked = Duration::from_secs(90);
        assert_eq!(backoff.next(Some(asked), &mut random), asked);
    }
}
