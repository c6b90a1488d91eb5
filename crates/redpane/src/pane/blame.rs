//! Which method and route is most to blame for a rule that fires.

use super::counts::{errors, first_slow, requests};
use super::history::History;
use super::rules::Blamed;
use super::traffic::{OTHER_METHOD, OTHER_ROUTE};

/// The method and route with the most errors in the newest seconds; `None` where none had any.
pub(super) fn for_errors(history: &History, seconds: u64) -> Option<Blamed> {
    most(history, seconds, errors, false)
}

/// The one with the most slow requests.
pub(super) fn for_slowness(history: &History, seconds: u64) -> Option<Blamed> {
    let first = first_slow((*history.bounds).as_ref());
    most(history, seconds, |row| row[first..].iter().sum(), true)
}

fn most(history: &History, seconds: u64, guilt: impl Fn(&[u64]) -> u64, is_slow: bool) -> Option<Blamed> {
    let traffic = &history.traffic;
    let own = traffic.endpoints.iter().filter(|own| !own.is_probe);
    let own = own.map(|own| (own.method.as_str(), own.route.as_str(), &own.counts));
    let all = own.chain(traffic.other.iter().map(|other| (OTHER_METHOD, OTHER_ROUTE, other)));
    let judged = all.map(|(method, route, counts)| {
        let (row, _) = history.recent(counts, seconds);
        (guilt(&row), method, route, row)
    });
    let (guilt, method, route, row) = judged.max_by_key(|(guilt, ..)| *guilt).filter(|(guilt, ..)| *guilt > 0)?;
    let is_other = route == OTHER_ROUTE;
    Some(Blamed {
        method: method.into(),
        route: route.into(),
        further_routes: is_other.then(|| traffic.further()),
        requests: requests(&row),
        errors: errors(&row),
        slow: is_slow.then_some(guilt),
        window_seconds: seconds,
    })
}
