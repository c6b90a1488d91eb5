//! What the library counts, somebody sees: each metric of its documentation is in a panel of a dashboard.

use crate::files::{Bundle, items};
use crate::findings::Findings;
use crate::links::panels;

const DOCUMENT: &str = "docs/library.md";
/// Metrics that no panel asks for, and why.
const ELSEWHERE: [(&str, &str); 4] = [
    ("http_client_requests_total", "calls between services are shown from their spans, with both ends"),
    ("http_client_request_duration_seconds", "the same"),
    ("log_stream_lines_sampled_out_total", "nearly all streams last longer than access_slow, and keep their line"),
    ("redpane_pane_bytes", "the pane is for those who have no dashboards"),
];

pub(crate) fn check(bundle: &Bundle) -> Findings {
    let mut findings = Findings::default();
    let document = bundle.text(DOCUMENT, &mut findings).unwrap_or_default();
    let mut queries = Vec::new();
    for (_, dashboard) in bundle.dashboards(&mut findings) {
        for (_, panel) in panels(&dashboard) {
            let asked = items(&panel["targets"]).iter().filter_map(|target| target["expr"].as_str());
            queries.extend(asked.map(str::to_owned));
        }
    }
    let documented = documented(&document);
    findings.expect(documented.len() > 15, DOCUMENT, "Metrics", "the table was not found");
    for name in documented.iter().filter(|name| ELSEWHERE.iter().all(|(elsewhere, _)| elsewhere != *name)) {
        let shown = queries.iter().any(|query| asks(query, name));
        findings.expect(shown, "grafana/dashboards", name, "is in no panel, and the library counts it");
    }
    for (name, why) in ELSEWHERE {
        let known = documented.contains(&name);
        findings.expect(known, DOCUMENT, name, format!("is not in the table, and this test leaves it out: {why}"));
    }
    findings
}

/// The names in the first column of the section *Metrics*. `process_*` and its like stand for what other crates name.
fn documented(document: &str) -> Vec<&str> {
    let section = document.split("\n## Metrics\n").nth(1).unwrap_or_default();
    let rows = section.split("\n#").next().unwrap_or_default().lines().filter_map(|line| line.strip_prefix("| `"));
    let columns = rows.filter_map(|row| row.split(" | ").next());
    let names = columns.flat_map(|column| column.split('`'));
    names.filter(|name| name.contains('_') && !name.contains(['*', ' '])).collect()
}

/// Whether a query names the metric, or the series of a histogram.
fn asks(query: &str, name: &str) -> bool {
    query.match_indices(name).any(|(start, _)| {
        let rest = &query[start + name.len()..];
        let rest = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| rest.strip_prefix(suffix)).unwrap_or(rest);
        let is_inside = query[..start].ends_with(|before: char| before.is_ascii_alphanumeric() || before == '_');
        !is_inside && rest.starts_with(['{', '[', ' ', ')'])
    })
}

#[test]
fn a_metric_is_asked_for_by_its_whole_name() {
    assert!(asks("rate(http_streams_total{app=\"api\"}[1m])", "http_streams_total"));
    assert!(asks("rate(http_stream_duration_seconds_bucket[1m])", "http_stream_duration_seconds"));
    assert!(!asks("rate(my_http_streams_total[1m])", "http_streams_total"));
    assert!(!asks("redpane_series_overflow_total", "redpane_series"));
}
