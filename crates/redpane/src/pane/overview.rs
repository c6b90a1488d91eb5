//! The answer of `api/overview`: what is now.

use std::borrow::Cow;

use serde::Serialize;

use super::answer::{Answer, ended, json};
use super::log_filter::Filter;
use super::metric_list::{self, MetricState};
use super::parameters::Parameters;
use super::process::Process;
use super::routes::{Rates, RouteState, rates, routes};
use super::rules::{Blamed, Rule, State};
use super::series::IN_FLIGHT;
use super::state::{LIMIT_BYTES, Pane, now_ms};
use super::viewers::VIEWERS;

/// Seconds of `totals` and `routes`.
const WINDOW: u64 = 60;
/// See the module.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Overview {
    app: String,
    version: String,
    revision: String,
    instance: String,
    started_ms: u64,
    now_ms: u64,
    metric_names: &'static str,
    service_url: Option<String>,
    /// Routes that are counted, but not judged.
    probes: Vec<String>,
    /// Of the buckets of durations.
    bounds_seconds: Vec<f64>,
    state: &'static str,
    rules: Vec<RuleState>,
    totals: Totals,
    routes: Vec<RouteState>,
    process: Process,
    pane: PaneState,
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<Vec<MetricState>>,
    log_filter: Filter,
}

#[derive(Clone, Debug, Serialize)]
struct RuleState {
    name: &'static str,
    title: &'static str,
    state: &'static str,
    since_ms: Option<u64>,
    value: Option<f64>,
    threshold: f64,
    unit: &'static str,
    requests: Option<u64>,
    reason: Option<&'static str>,
    detail: String,
    route: Option<Blamed>,
    query: Cow<'static, str>,
}

#[derive(Clone, Debug, Serialize)]
struct Totals {
    window_seconds: u64,
    #[serde(flatten)]
    rates: Rates,
    requests_since_start: u64,
    in_flight: Option<u64>,
}

#[derive(Clone, Debug, Serialize)]
struct PaneState {
    bytes: usize,
    limit_bytes: usize,
    viewers: usize,
    viewers_limit: usize,
    lines_held: u64,
    oldest_line_ms: Option<u64>,
    lines_dropped: u64,
    spans: bool,
}

/// The whole answer.
pub(super) fn answer(pane: &Pane, query: Option<&str>) -> Answer {
    Parameters::of(query).finish()?;
    let mut overview = Overview::read(pane).ok_or_else(ended)?;
    overview.metrics = Some(metric_list::read(pane));
    json(&overview)
}

impl Overview {
    /// Reads everything as it is now, without the metrics by name; `None` where the telemetry has ended.
    pub(super) fn read(pane: &Pane) -> Option<Self> {
        let filter = pane.host()?.filter();
        let (bytes, (lines_held, oldest_line_ms)) = (pane.bytes(), pane.lines.held());
        let history = pane.history();
        let (sums, seconds) = history.recent(&history.traffic.total, WINDOW);
        let window = history.timeline.newest(0, WINDOW);
        let rule = |rule: &Rule| RuleState {
            name: rule.name,
            title: rule.title,
            state: rule.state.as_str(),
            since_ms: rule.since.map(|second| second * 1000),
            value: rule.value,
            threshold: rule.threshold,
            unit: rule.unit,
            requests: rule.requests,
            reason: rule.reason,
            detail: rule.detail.clone(),
            route: rule.route.clone(),
            query: rule.query.clone(),
        };
        Some(Self {
            app: pane.identity.app.clone(),
            version: pane.identity.version.clone(),
            revision: pane.identity.revision.clone(),
            instance: pane.identity.instance.clone(),
            started_ms: pane.started_ms,
            now_ms: now_ms(),
            metric_names: pane.identity.metric_names,
            service_url: pane.service_url.get().cloned(),
            probes: history.probes(),
            bounds_seconds: (*history.bounds).as_ref().to_vec(),
            state: history.rules.state().max(State::Ok).as_str(),
            rules: history.rules.0.iter().map(rule).collect(),
            totals: Totals {
                window_seconds: WINDOW,
                rates: rates(&history, &sums, seconds),
                requests_since_start: history.traffic.requests_since_start(),
                in_flight: IN_FLIGHT.iter().find_map(|name| history.gauge(name)).map(|value| value as u64),
            },
            routes: routes(&history, window),
            process: Process::read(&history, pane.started_ms),
            pane: PaneState {
                bytes,
                limit_bytes: LIMIT_BYTES,
                viewers: pane.viewers.count(),
                viewers_limit: VIEWERS,
                lines_held,
                oldest_line_ms,
                lines_dropped: history.lines_dropped,
                spans: pane.spans.is_some(),
            },
            metrics: None,
            log_filter: filter.into(),
        })
    }
}
