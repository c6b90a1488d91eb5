//! The answer of `api/overview`: what is now.

use serde::Serialize;

use super::counts::{CLASSES, Counts, errors, requests};
use super::history::History;
use super::input::FilterState;
use super::process::Process;
use super::quantile::{quantile, rounded};
use super::rules::{Rule, State};
use super::state::{LIMIT_BYTES, Pane, now_ms};
use super::timeline::Range;
use super::traffic::{OTHER_METHOD, OTHER_ROUTE};
use super::viewers::VIEWERS;

/// Seconds of `totals` and `routes`.
const WINDOW: u64 = 60;
/// The most routes.
const ROUTES: usize = 100;

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
    state: &'static str,
    rules: Vec<RuleState>,
    totals: Totals,
    routes: Vec<RouteState>,
    process: Process,
    pane: PaneState,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) metrics: Option<Vec<MetricState>>,
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
    detail: String,
    query: &'static str,
}

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

#[derive(Clone, Debug, Serialize)]
struct Totals {
    window_seconds: u64,
    #[serde(flatten)]
    rates: Rates,
    in_flight: Option<u64>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct RouteState {
    method: String,
    route: String,
    probe: bool,
    #[serde(flatten)]
    rates: Rates,
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

#[derive(Clone, Debug, Serialize)]
pub(super) struct MetricState {
    name: String,
    kind: &'static str,
    unit: Option<&'static str>,
    help: String,
    pinned: bool,
    recorded: bool,
}

/// The log filter, as the pane's own address for it answers too.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Filter {
    directives: String,
    configured: String,
    until_ms: Option<u64>,
}

impl From<FilterState> for Filter {
    fn from(FilterState { directives, configured, until_ms }: FilterState) -> Self {
        Self { directives, configured, until_ms }
    }
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
            detail: rule.detail.clone(),
            query: rule.query,
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
            state: history.rules.state().max(State::Ok).as_str(),
            rules: history.rules.0.iter().map(rule).collect(),
            totals: Totals {
                window_seconds: WINDOW,
                rates: rates(&history, &sums, seconds),
                in_flight: history.gauge("http_requests_in_flight").map(|value| value as u64),
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

/// All metrics by name, those first that the application has pinned.
pub(super) fn metrics(pane: &Pane) -> Vec<MetricState> {
    let history = pane.history();
    let recorded = history.metrics.iter().map(|(name, metric)| MetricState {
        name: name.clone(),
        kind: metric.kind.as_str(),
        unit: metric.unit,
        help: metric.help.clone(),
        pinned: pane.pinned.contains(name),
        recorded: true,
    });
    let refused = history.refused.iter().map(|(name, kind)| MetricState {
        name: name.clone(),
        kind,
        unit: None,
        help: String::new(),
        pinned: pane.pinned.contains(name),
        recorded: false,
    });
    let mut metrics: Vec<_> = recorded.chain(refused).collect();
    let place = |name: &str| pane.pinned.iter().position(|pinned| pinned == name).unwrap_or(usize::MAX);
    metrics.sort_by(|one, other| (place(&one.name), &one.name).cmp(&(place(&other.name), &other.name)));
    metrics
}

/// The methods and routes with a request in a range, the worst first.
pub(super) fn routes(history: &History, range: Range) -> Vec<RouteState> {
    let read = |method: &str, route: &str, probe, counts: &Counts| {
        let (sums, seconds) = counts.sum(&history.timeline, range);
        let rates = rates(history, &sums, seconds);
        (rates.requests > 0).then(|| RouteState { method: method.into(), route: route.into(), probe, rates })
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

fn rates(history: &History, sums: &[u64], seconds: u64) -> Rates {
    let (requests, errors) = (requests(sums), errors(sums));
    let bounds = (*history.bounds).as_ref();
    let per_second = |count: u64| rounded(count as f64 / seconds.max(1) as f64);
    let at = |q| quantile(q, bounds, &sums[CLASSES..]).map(rounded);
    Rates {
        requests,
        requests_per_second: per_second(requests),
        errors_per_second: per_second(errors),
        error_ratio: (requests > 0).then(|| rounded(errors as f64 / requests as f64)),
        p50_seconds: at(0.5),
        p95_seconds: at(0.95),
        p99_seconds: at(0.99),
    }
}
