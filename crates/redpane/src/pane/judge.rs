//! The five rules that say whether something is wrong. They are those that the bundle's alerts begin with.

use super::counts::{BUCKETS, error_ratio, errors, failed_calls, requests};
use super::history::History;
use super::quantile::quantile;
use super::queries::Names;
use super::rules::{Rule, Rules, State};
use super::traffic::Traffic;

/// Requests that p99 must have behind it.
const ENOUGH: u64 = 20;
/// The share of requests that may fail.
const BUDGET: f64 = 0.001;
/// Errors in an hour below which a share says little.
const FEW_ERRORS: u64 = 5;

/// The rules after another second. `otel` says that `/metrics` has OpenTelemetry's names only.
pub(super) fn judge(history: &History, otel: bool) -> Rules {
    let names = Names { otel, grpc: history.metrics.contains_key("grpc_server_handled_total") };
    let mut rules = vec![
        any_5xx(history, names),
        p99_slow(history, names),
        fast_burn(history, names),
        lines_dropped(history),
        overflow(history),
    ];
    for rule in &mut rules {
        let before = history.rules.0.iter().find(|before| before.name == rule.name).and_then(|before| before.since);
        rule.since = (rule.state != State::Ok).then(|| before.or(history.timeline.last()).unwrap_or_default());
    }
    Rules(rules)
}

fn any_5xx(history: &History, names: Names) -> Rule {
    let (sums, _) = history.recent(&history.traffic.total, 120);
    let (errors, requests) = (errors(&sums), requests(&sums));
    let or_grpc = if failed_calls(&sums) > 0 { ", or ended with a gRPC code that is the server's fault," } else { "" };
    let worst = worst(&history.traffic, history, 120).map(|name| format!("; most by {name}")).unwrap_or_default();
    Rule {
        name: "any_5xx",
        title: "Any 5xx in 2 min",
        state: if errors > 0 { State::Burning } else { State::Ok },
        since: None,
        value: Some(errors as f64),
        threshold: 0.0,
        unit: "requests",
        detail: format!("{errors} of {requests} requests were answered 5xx{or_grpc} in the last 2 minutes{worst}"),
        query: names.any_5xx().into(),
    }
}

fn p99_slow(history: &History, names: Names) -> Rule {
    let (sums, _) = history.recent(&history.traffic.total, 300);
    let p99 = quantile(0.99, (*history.bounds).as_ref(), &sums[BUCKETS..]);
    let is_slow = p99.is_some_and(|seconds| seconds > 1.0) && requests(&sums) >= ENOUGH;
    Rule {
        name: "p99_slow",
        title: "p99 over 1 s",
        state: if is_slow { State::Warning } else { State::Ok },
        since: None,
        value: p99,
        threshold: 1.0,
        unit: "seconds",
        detail: match p99 {
            Some(seconds) => format!("p99 of {} requests in the last 5 minutes is {seconds:.3} s", requests(&sums)),
            None => "no request in the last 5 minutes".into(),
        },
        query: names.p99_slow().into(),
    }
}

fn fast_burn(history: &History, names: Names) -> Rule {
    let sums = [300, 1800, 3600, 6 * 3600].map(|seconds| history.recent(&history.traffic.total, seconds).0);
    let [five, half, hour, six] = sums.each_ref().map(|sums| error_ratio(sums).unwrap_or(0.0) / BUDGET);
    let [_, _, in_hour, _] = &sums;
    let burns = errors(in_hour) >= FEW_ERRORS && (five > 14.4 && hour > 14.4 || half > 6.0 && six > 6.0);
    Rule {
        name: "fast_burn",
        title: "Error budget burns fast",
        state: if burns { State::Burning } else { State::Ok },
        since: None,
        value: Some(five.min(hour)),
        threshold: 14.4,
        unit: "times",
        detail: format!(
            "{five:.1} times too fast over 5 minutes, {hour:.1} over 1 hour; {half:.1} over 30 minutes, {six:.1} over 6 hours"
        ),
        query: names.fast_burn().into(),
    }
}

fn lines_dropped(history: &History) -> Rule {
    let lines = history.increase("log_lines_dropped_total", 300).round();
    Rule {
        name: "lines_dropped",
        title: "Log lines lost",
        state: if lines > 0.0 { State::Warning } else { State::Ok },
        since: None,
        value: Some(lines),
        threshold: 0.0,
        unit: "lines",
        detail: format!("{lines} log lines were lost in the last 5 minutes: the log's output is slow or fails"),
        query: "sum(increase(log_lines_dropped_total[5m])) > 0".into(),
    }
}

fn overflow(history: &History) -> Rule {
    let requests = history.increase("redpane_series_overflow_total", 300).round();
    Rule {
        name: "series_overflow",
        title: "Series limit reached",
        state: if requests > 0.0 { State::Warning } else { State::Ok },
        since: None,
        value: Some(requests),
        threshold: 0.0,
        unit: "requests",
        detail: format!("{requests} requests of the last 5 minutes were counted under the route _overflow"),
        query: "increase(redpane_series_overflow_total[5m]) > 0".into(),
    }
}

/// The method and route with the most errors.
fn worst(traffic: &Traffic, history: &History, seconds: u64) -> Option<String> {
    let count = |counts| errors(&history.recent(counts, seconds).0);
    let endpoints = traffic.endpoints.iter().filter(|endpoint| !endpoint.is_probe);
    let counted = endpoints.map(|endpoint| (count(&endpoint.counts), endpoint));
    let (errors, endpoint) = counted.max_by_key(|(errors, _)| *errors)?;
    (errors > 0).then(|| format!("{} {}", endpoint.method, endpoint.route))
}
