//! The methods and routes that had requests in a time, the worst first: a part of `api/overview`, and all of `api/routes`.

use serde::Serialize;

use super::answer::{Answer, json};
use super::counts::{BUCKETS, Counts, error_ratio, errors, requests};
use super::history::History;
use super::parameters::Parameters;
use super::problem::Problem;
use super::quantile::{quantile, rounded};
use super::state::Pane;
use super::timeline::Range;
use super::traffic::{OTHER_METHOD, OTHER_ROUTE};

/// The most routes.
const ROUTES: usize = 100;

/// What requests were in a time.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Rates {
    requests: u64,
    requests_per_second: f64,
    errors_per_second: f64,
    error_ratio: Option<f64>,
    p50_seconds: Option<f64>,
    p95_seconds: Option<f64>,
    p99_seconds: Option<f64>,
}

/// One of them.
#[derive(Clone, Debug, Serialize)]
pub(super) struct RouteState {
    method: String,
    route: String,
    /// How many they are where it is not one of them.
    further_routes: Option<usize>,
    probe: bool,
    #[serde(flatten)]
    rates: Rates,
}

#[derive(Serialize)]
struct Routes {
    from_ms: u64,
    to_ms: u64,
    step_seconds: u64,
    /// Seconds of the range that are held.
    recorded_seconds: u64,
    routes: Vec<RouteState>,
}

/// The answer of `api/routes`.
pub(super) fn answer(pane: &Pane, query: Option<&str>) -> Answer {
    let mut parameters = Parameters::of(query);
    let history = pane.history();
    let range = parameters
        .range(&history.timeline)?
        .ok_or_else(|| Problem::bad_request("from and to are needed: Unix time in whole milliseconds"))?;
    parameters.finish()?;
    let routes = routes(&history, range);
    json(&Routes {
        from_ms: range.start_ms(),
        to_ms: range.end_ms(),
        step_seconds: range.step_seconds(),
        recorded_seconds: history.timeline.recorded(range),
        routes,
    })
}

/// The methods and routes with a request in a range, the worst first.
pub(super) fn routes(history: &History, range: Range) -> Vec<RouteState> {
    let read = |method: &str, route: &str, probe, counts: &Counts| {
        let (sums, seconds) = counts.sum(&history.timeline, range);
        let rates = rates(history, &sums, seconds);
        rates.error_ratio?;
        let further_routes = (route == OTHER_ROUTE).then(|| history.traffic.further());
        Some(RouteState { method: method.into(), route: route.into(), further_routes, probe, rates })
    };
    let own = history.traffic.endpoints.iter();
    let own = own.filter_map(|own| read(&own.method, &own.route, own.is_probe, &own.counts));
    let other = history.traffic.other.iter().filter_map(|other| read(OTHER_METHOD, OTHER_ROUTE, false, other));
    let mut routes: Vec<_> = own.chain(other).collect();
    let key = |state: &RouteState| (state.rates.errors_per_second, state.rates.p99_seconds.unwrap_or(0.0));
    routes.sort_by(|one, other| {
        let worse = key(other).partial_cmp(&key(one)).unwrap_or(std::cmp::Ordering::Equal);
        one.probe.cmp(&other.probe).then(worse).then_with(|| one.route.cmp(&other.route))
    });
    routes.truncate(ROUTES);
    routes
}

/// The rates of such sums.
pub(super) fn rates(history: &History, sums: &[u64], seconds: u64) -> Rates {
    let (requests, errors) = (requests(sums), errors(sums));
    let bounds = (*history.bounds).as_ref();
    let per_second = |count: u64| rounded(count as f64 / seconds.max(1) as f64);
    let at = |q| quantile(q, bounds, &sums[BUCKETS..]).map(rounded);
    Rates {
        requests,
        requests_per_second: per_second(requests),
        errors_per_second: per_second(errors),
        error_ratio: error_ratio(sums).map(rounded),
        p50_seconds: at(0.5),
        p95_seconds: at(0.95),
        p99_seconds: at(0.99),
    }
}
