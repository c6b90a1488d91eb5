//! How fast the budget of errors is used up, over two pairs of windows.

use super::blame;
use super::counts::{error_ratio, errors};
use super::history::History;
use super::queries::Names;
use super::rules::{Rule, State};
use super::windows::{BUDGET, Pair};

/// Errors in an hour below which a share says little.
const FEW_ERRORS: u64 = 5;
/// Why it is quiet then.
const TOO_FEW: &str = "fewer than 5 errors in 1 hour";

/// The faster one first.
const PAIRS: [Pair; 2] = [
    Pair { limit: 14.4, short: (300, "5m", "5 minutes"), long: (3600, "1h", "1 hour") },
    Pair { limit: 6.0, short: (1800, "30m", "30 minutes"), long: (6 * 3600, "6h", "6 hours") },
];

/// How many times too fast it burns, over the short window of a pair and over its long one.
fn burns(pair: Pair, history: &History) -> (f64, f64) {
    let over = |seconds| {
        let (sums, _) = history.recent(&history.traffic.total, seconds);
        error_ratio(&sums).unwrap_or(0.0) / BUDGET
    };
    (over(pair.short.0), over(pair.long.0))
}

/// The rule: it shows the pair that fires, or else the one that is nearest to it.
pub(super) fn fast_burn(history: &History, names: Names<'_>) -> Rule {
    let enough = errors(&history.recent(&history.traffic.total, 3600).0) >= FEW_ERRORS;
    let judged = PAIRS.map(|pair| (pair, burns(pair, history)));
    let share = |(pair, (short, long)): &(Pair, (f64, f64))| short.min(*long) / pair.limit;
    let nearest = if share(&judged[1]) > share(&judged[0]) && share(&judged[0]) <= 1.0 { judged[1] } else { judged[0] };
    let (pair, (short, long)) = nearest;
    let is_fast = share(&nearest) > 1.0;
    let route = (is_fast && enough).then(|| blame::for_errors(history, pair.short.0)).flatten();
    let most = route.as_ref().map(|route| format!("; most errors by {}", route.in_words())).unwrap_or_default();
    let few = if is_fast && !enough { format!("; {TOO_FEW}") } else { String::new() };
    Rule {
        name: "fast_burn",
        title: "Error budget burns fast",
        state: if is_fast && enough { State::Burning } else { State::Ok },
        since: None,
        value: Some(short.min(long)),
        threshold: pair.limit,
        unit: "times",
        requests: None,
        reason: (is_fast && !enough).then_some(TOO_FEW),
        detail: format!(
            "{short:.1} times too fast over {}, {long:.1} over {} (limit {}){most}{few}",
            pair.short.2, pair.long.2, pair.limit
        ),
        route,
        query: names.fast_burn(pair).into(),
    }
}
