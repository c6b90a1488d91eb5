//! A share of all traces, which is the same in every service.

use super::hex;
use super::ids::TraceId;

/// A share of all traces, from 0 to 1, decided by the last 63 bits of the id as OpenTelemetry's SDKs for Go and Rust do it (those
/// for other languages take other bits): all services that ask for the same share choose the same traces, and a smaller share
/// is a part of a larger one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Share {
    ratio: f64,
    /// Of 2^63.
    below: u64,
}

impl Share {
    /// `None` where it is no number from 0 to 1.
    pub(crate) fn new(ratio: f64) -> Option<Self> {
        (0.0..=1.0).contains(&ratio).then_some(Self { ratio, below: (ratio * (1_u64 << 63) as f64) as u64 })
    }

    pub(crate) fn ratio(&self) -> f64 {
        self.ratio
    }

    /// Whether a trace is in it.
    pub(crate) fn has(&self, trace_id: &TraceId) -> bool {
        (low_bits(trace_id) >> 1) < self.below
    }
}

/// The last 64 bits of a trace id.
fn low_bits(trace_id: &TraceId) -> u64 {
    let (digits, _) = trace_id.as_bytes()[16..].as_chunks::<2>();
    digits.iter().fold(0, |bits, digits| bits << 8 | u64::from(hex::byte(digits).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_are_all_and_nothing_and_a_tenth_is_one_in_ten() {
        let share = |ratio| Share::new(ratio).unwrap();
        for id in (0..1000).map(|_| TraceId::random()) {
            assert!(share(1.0).has(&id) && !share(0.0).has(&id));
        }
        let kept = (0..20_000).filter(|_| share(0.1).has(&TraceId::random())).count();
        assert!((1500..2500).contains(&kept), "{kept} of 20,000");
    }

    #[test]
    fn the_last_bits_decide() {
        // Of these 63 the first id has nearly none set, the second nearly all.
        let [low, high] = ["ffffffffffffffff0000000000000002", "0000000000000001fffffffffffffff0"].map(str::parse);
        let half = Share::new(0.5).unwrap();
        assert!(half.has(&low.unwrap()) && !half.has(&high.unwrap()));
    }

    #[test]
    fn what_is_no_share_is_refused() {
        for ratio in [2.0, -0.1, f64::NAN] {
            assert_eq!(Share::new(ratio), None);
        }
    }
}
