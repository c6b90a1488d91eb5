//! The dashboard *Stack*: each part of the bundle that Prometheus scrapes has a row there with numbers of its own.

use serde_json::Value;

use crate::files::{Bundle, items};
use crate::findings::Findings;

const STACK: &str = "grafana/dashboards/stack.json";

/// Programs whose metrics do not begin with their name in the bundle. `gateway` and `docker-reader` say who they are by `app`.
const PREFIXES: [&str; 5] = ["prometheus", "loki", "tempo", "promtail", "grafana"];

/// A service with the label `logging_job` is on the dashboards *Service*, *Logs* and *Runtime*; every other job is a part of
/// the bundle itself.
pub(crate) fn check(bundle: &Bundle) -> Findings {
    let mut findings = Findings::default();
    let compose = bundle.value("docker-compose.yml", &mut findings).unwrap_or_default();
    let prometheus = bundle.value("prometheus.yml", &mut findings).unwrap_or_default();
    let dashboard = bundle.value(STACK, &mut findings).unwrap_or_default();
    let jobs = items(&prometheus["scrape_configs"]).iter().filter_map(|job| job["job_name"].as_str());
    for job in jobs.filter(|job| compose["services"][job]["labels"]["logging_job"].is_null()) {
        let shown = panels_of(&dashboard, job);
        let fault = format!("has no row {job:?} with panels, and Prometheus scrapes this job");
        findings.expect(!shown.is_empty(), STACK, "panels", fault);
        for panel in shown {
            let asks =
                items(&panel["targets"]).iter().any(|target| target["expr"].as_str().is_some_and(|q| names(q, job)));
            let fault = format!("panel {} in the row of {job:?} asks for no metric of it", panel["title"]);
            findings.expect(asks, STACK, "panels", fault);
        }
    }
    findings
}

/// The panels under the row that is titled as the job: those from it to the next row.
fn panels_of<'a>(dashboard: &'a Value, job: &str) -> Vec<&'a Value> {
    let is_row = |panel: &&Value| panel["type"] == "row";
    let titled = |panel: &&Value| panel["title"].as_str().is_some_and(|title| title.eq_ignore_ascii_case(job));
    let mut panels = items(&dashboard["panels"]).iter().skip_while(|panel| !(is_row(panel) && titled(panel)));
    let inside = panels.next().map(|row| items(&row["panels"])).unwrap_or_default();
    panels.take_while(|panel| !is_row(panel)).chain(inside).collect()
}

/// Whether a query selects the job by its label, or names one of its metrics.
fn names(query: &str, job: &str) -> bool {
    query.contains(&format!("app=\"{job}\"")) || (PREFIXES.contains(&job) && query.contains(&format!("{job}_")))
}
