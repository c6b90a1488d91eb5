//! The five rules that say whether something is wrong. They are those that the bundle's alerts begin with.

use super::blame;
use super::burn::fast_burn;
use super::counts::{BUCKETS, SLOW, errors, failed_calls, requests};
use super::history::History;
use super::quantile::{in_words, quantile};
use super::queries::Names;
use super::rules::{Rule, Rules, State};

/// Requests that p99 must have behind it.
const ENOUGH: u64 = 20;

/// The rules after another second, those with the shortest window first. `otel` says that `/metrics` has OpenTelemetry's
/// names only.
pub(super) fn judge(history: &History, app: &str, otel: bool) -> Rules {
    let grpc = history.metrics.contains_key("grpc_server_handled_total");
    let names = Names { otel, grpc, app, probes: &history.probes };
    let mut rules = vec![
        any_5xx(history, names),
        p99_slow(history, names),
        fast_burn(history, names),
        lines_dropped(history, names),
        overflow(history, names),
    ];
    for rule in &mut rules {
        let now = history.timeline.last().unwrap_or_default();
        let before = history.rules.0.iter().find(|before| before.name == rule.name).and_then(|before| before.since);
        // Not since a time that is still to come, where the clock was set back.
        rule.since = (rule.state != State::Ok).then(|| before.map_or(now, |before| before.min(now)));
    }
    Rules(rules)
}

fn any_5xx(history: &History, names: Names<'_>) -> Rule {
    let (sums, _) = history.recent(&history.traffic.total, 120);
    let (errors, requests) = (errors(&sums), requests(&sums));
    let or_grpc = if failed_calls(&sums) > 0 { ", or ended with a gRPC code that is the server's fault," } else { "" };
    let route = (errors > 0).then(|| blame::for_errors(history, 120)).flatten();
    let most = route.as_ref().map(|route| format!("; most by {}", route.in_words())).unwrap_or_default();
    Rule {
        name: "any_5xx",
        title: "Any 5xx in 2 min",
        state: if errors > 0 { State::Burning } else { State::Ok },
        since: None,
        value: Some(errors as f64),
        threshold: 0.0,
        unit: "requests",
        requests: None,
        reason: None,
        detail: format!("{errors} of {requests} requests were answered 5xx{or_grpc} in the last 2 minutes{most}"),
        route,
        query: names.any_5xx().into(),
    }
}

fn p99_slow(history: &History, names: Names<'_>) -> Rule {
    let (sums, _) = history.recent(&history.traffic.total, 300);
    let bounds = (*history.bounds).as_ref();
    let p99 = quantile(0.99, bounds, &sums[BUCKETS..]);
    let (is_slow, enough) = (p99.is_some_and(|seconds| seconds > SLOW), requests(&sums) >= ENOUGH);
    let route = (is_slow && enough).then(|| blame::for_slowness(history, 300)).flatten();
    let most = route.as_ref().map(|route| format!("; most of the slow ones by {}", route.in_words()));
    Rule {
        name: "p99_slow",
        title: "p99 over 1 s",
        state: if is_slow && enough { State::Warning } else { State::Ok },
        since: None,
        value: p99,
        threshold: SLOW,
        unit: "seconds",
        requests: Some(requests(&sums)),
        reason: (is_slow && !enough).then_some("fewer than 20 requests in 5 min"),
        detail: match p99 {
            Some(seconds) => {
                let most = most.unwrap_or_default();
                let time = in_words(seconds, requests(&sums), bounds);
                format!("p99 of {} requests in the last 5 minutes is {time}{most}", requests(&sums))
            }
            None => "no request in the last 5 minutes".into(),
        },
        route,
        query: names.p99_slow().into(),
    }
}

fn lines_dropped(history: &History, names: Names<'_>) -> Rule {
    let lines = history.increase("log_lines_dropped_total", 300).round();
    Rule {
        name: "lines_dropped",
        title: "Log lines lost",
        state: if lines > 0.0 { State::Warning } else { State::Ok },
        since: None,
        value: Some(lines),
        threshold: 0.0,
        unit: "lines",
        requests: None,
        reason: None,
        detail: format!("{lines} log lines were lost in the last 5 minutes: the log's output is slow or fails"),
        route: None,
        query: names.increase("log_lines_dropped_total").into(),
    }
}

fn overflow(history: &History, names: Names<'_>) -> Rule {
    let requests = history.increase("redpane_series_overflow_total", 300).round();
    Rule {
        name: "series_overflow",
        title: "Series limit reached",
        state: if requests > 0.0 { State::Warning } else { State::Ok },
        since: None,
        value: Some(requests),
        threshold: 0.0,
        unit: "requests",
        requests: None,
        reason: None,
        detail: format!("{requests} requests of the last 5 minutes were counted under the route _overflow"),
        route: None,
        query: names.increase("redpane_series_overflow_total").into(),
    }
}

#[cfg(test)]
mod tests;
