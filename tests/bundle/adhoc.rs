//! The drop-down of all labels on the dashboard *Service*. Grafana puts what is chosen there into every selector of the dashboard, and a
//! metric without that label is then not known: no query may call that 0.

use crate::files::{Bundle, items};
use crate::findings::Findings;
use crate::links::panels;

const SERVICE: &str = "grafana/dashboards/service.json";
/// Metrics that have the labels an application declares.
const LABELLED: [&str; 2] = ["http_requests_total", "http_request_duration_seconds"];

/// `vector(0)` selects nothing, so nothing takes it away: it may stand only behind metrics that have the label.
pub(crate) fn check(bundle: &Bundle) -> Findings {
    let mut findings = Findings::default();
    let dashboard = bundle.value(SERVICE, &mut findings).unwrap_or_default();
    for (path, panel) in panels(&dashboard) {
        for target in items(&panel["targets"]) {
            let query = target["expr"].as_str().filter(|_| target["datasource"]["uid"] == "prometheus");
            let Some(query) = query.filter(|query| query.contains("vector(0)")) else { continue };
            let known = LABELLED.iter().any(|metric| query.contains(metric));
            let fault = format!("is 0 where a label is chosen that these metrics have not: {query}");
            findings.expect(known, SERVICE, &format!("{path}.targets"), fault);
        }
    }
    findings
}
