//! Pairs of windows over which the budget of errors is watched.

/// The share of requests that may fail.
pub(super) const BUDGET: f64 = 0.001;
/// Two windows, over both of which the budget burns faster than a limit where something is wrong.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    /// How often the budget is used up in its time.
    pub(super) limit: f64,
    /// Seconds, their name in PromQL, and in words.
    pub(super) short: (u64, &'static str, &'static str),
    pub(super) long: (u64, &'static str, &'static str),
}
