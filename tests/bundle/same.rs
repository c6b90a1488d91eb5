//! What a number on the dashboard *Stack* says, the alert about the same thing says too: both read one recording rule. And a
//! number about losses sees the first one.

use serde_json::Value;

use crate::alert_queries;
use crate::files::{Bundle, items};
use crate::findings::Findings;
use crate::links::panels;

const STACK: &str = "grafana/dashboards/stack.json";
/// Panel, query of a rule, and the recording rule that both read.
const SAME: [(&str, &str, &str); 4] = [
    ("Targets down", "target-down", "app:targets:down"),
    ("Refused", "log-delivery/refused", "app_reason:loki_discarded_samples:increase5m"),
    ("Spans refused", "tempo-discards", "app_reason:tempo_discarded_spans:increase5m"),
    ("Alerts", "notifications-failing", "app_integration:grafana_notifications_failed:increase5m"),
];
const SAMPLED: &str = "log_lines_sampled_out_total";
/// Counters without a series before their first case, which `rate` and `increase` do not see: what begins is not what grows.
const LATE: [&str; 3] =
    ["loki_discarded_samples_total", "tempo_discarded_spans_total", "grafana_alerting_notifications_failed_total"];

pub(crate) fn check(bundle: &Bundle) -> Findings {
    let mut findings = Findings::default();
    let queries = alert_queries::queries(bundle, &mut findings);
    let dashboard = bundle.value(STACK, &mut findings).unwrap_or_default();
    let shows = |title: &str, series: &str| {
        let panel = items(&dashboard["panels"]).iter().find(|panel| panel["title"] == title).unwrap_or(&Value::Null);
        let asks = |query: &str| query.contains(series);
        items(&panel["targets"]).iter().any(|target| target["expr"].as_str().is_some_and(asks))
    };
    for (title, alert, rule) in SAME {
        findings.expect(shows(title, rule), STACK, title, format!("must read {rule}, as the alert {alert} does"));
        let fires = queries.get(alert).is_some_and(|query| query.contains(rule));
        findings.expect(fires, "grafana/provisioning/alerting", alert, format!("must read {rule}, as {title:?} does"));
    }
    let sampled = shows("Counted, logged", SAMPLED);
    let fault = format!("must have {SAMPLED} beside the lines: requests are counted whose line is left out");
    findings.expect(sampled, STACK, "Counted, logged", fault);
    for (file, dashboard) in bundle.dashboards(&mut findings) {
        for (path, panel) in panels(&dashboard) {
            for query in items(&panel["targets"]).iter().filter_map(|target| target["expr"].as_str()) {
                for counter in LATE.iter().filter(|counter| query.contains(**counter)) {
                    let first = query.contains(&format!("{counter} unless {counter} offset "));
                    let fault = format!("does not see the first value of {counter}: {query}");
                    findings.expect(first, &file, &format!("{path}.targets"), fault);
                }
            }
        }
    }
    findings
}
