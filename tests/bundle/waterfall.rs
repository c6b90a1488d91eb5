//! From a line, an exemplar and a panel to the spans of a trace, and from a span to its lines and its route's metrics.

use serde_json::Value;

use crate::files::{Bundle, items};
use crate::findings::Findings;
use crate::links::panels;

const FOLDER: &str = "grafana/provisioning/datasources";

pub(crate) fn check(bundle: &Bundle) -> Findings {
    let mut findings = Findings::default();
    let sources = bundle.datasources(&mut findings);
    let data = |uid: &str| {
        let found = sources.iter().find(|(_, _, source)| source["uid"] == uid);
        found.map(|(_, _, source)| &source["jsonData"]).unwrap_or(&Value::Null)
    };
    to_the_spans(data("prometheus"), data("loki"), &mut findings);
    from_a_span(data("tempo"), &mut findings);
    shown(bundle, &mut findings);
    findings
}

fn to_the_spans(prometheus: &Value, loki: &Value, findings: &mut Findings) {
    let exemplar = items(&prometheus["exemplarTraceIdDestinations"])
        .iter()
        .any(|link| link["name"] == "trace_id" && link["datasourceUid"] == "tempo");
    findings.expect(exemplar, FOLDER, "prometheus.exemplarTraceIdDestinations", "must lead trace_id to tempo");
    // Grafana takes the first label whose name the expression fits: `caller_trace_id` comes before `trace_id`.
    let whole = |field: &Value| field["matcherType"] != "label" || field["matcherRegex"] == "^trace_id$$";
    let anchored = items(&loki["derivedFields"]).iter().all(whole);
    findings.expect(anchored, FOLDER, "loki.derivedFields", "must take the label ^trace_id$$ and no other");
    // Grafana makes the query of a link to a data source from its `url`.
    let line = items(&loki["derivedFields"])
        .iter()
        .any(|field| field["datasourceUid"] == "tempo" && whole(field) && field["url"] == "$${__value.raw}");
    findings.expect(line, FOLDER, "loki.derivedFields", "must lead trace_id to tempo, with the url $${__value.raw}");
}

fn from_a_span(tempo: &Value, findings: &mut Findings) {
    let mut expect =
        |right: bool, key: &str, fault: &str| findings.expect(right, FOLDER, &format!("tempo.{key}"), fault);
    let maps = |settings: &Value, key: &str, label: &str| {
        items(&settings["tags"]).iter().any(|tag| tag["key"] == key && tag["value"] == label)
    };
    let logs = &tempo["tracesToLogsV2"];
    expect(logs["datasourceUid"] == "loki", "tracesToLogsV2.datasourceUid", "must be loki");
    expect(maps(logs, "service.name", "app"), "tracesToLogsV2.tags", "must take service.name for app");
    let query = logs["query"].as_str().unwrap_or_default();
    let own = logs["customQuery"] == true
        && query.contains("$${__tags}")
        && query.contains(r#"| trace_id="$${__span.traceId}""#);
    expect(own, "tracesToLogsV2.query", "must ask for the lines of $${__tags} with the trace id of the span");
    let metrics = &tempo["tracesToMetrics"];
    expect(metrics["datasourceUid"] == "prometheus", "tracesToMetrics.datasourceUid", "must be prometheus");
    for (key, label) in [("service.name", "app"), ("http.route", "route")] {
        let fault = format!("must take {key} for {label}");
        expect(maps(metrics, key, label), "tracesToMetrics.tags", &fault);
    }
    let queries = items(&metrics["queries"]);
    let narrowed = |query: &Value| query["query"].as_str().is_some_and(|query| query.contains("{$$__tags}"));
    let all = !queries.is_empty() && queries.iter().all(narrowed);
    expect(all, "tracesToMetrics.queries", "must be about the span: {$$__tags}");
    expect(tempo["serviceMap"]["datasourceUid"] == "prometheus", "serviceMap.datasourceUid", "must be prometheus");
    expect(tempo["nodeGraph"]["enabled"] == true, "nodeGraph.enabled", "must be true");
}

/// A waterfall beside the lines of the same trace, and the map of services beside what failed.
fn shown(bundle: &Bundle, findings: &mut Findings) {
    for (uid, kind, right) in [
        // Through a variable, because an empty id is an error and an empty box is none.
        ("redpane-trace", "traces", ["query", "${waterfall:raw}"]),
        ("redpane-service", "nodeGraph", ["queryType", "serviceMap"]),
    ] {
        let dashboards = bundle.dashboards(findings);
        let Some((file, dashboard)) = dashboards.iter().find(|(_, dashboard)| dashboard["uid"] == uid) else {
            continue;
        };
        let asks = |panel: &Value| {
            let [key, value] = right;
            items(&panel["targets"]).iter().any(|target| target["datasource"]["uid"] == "tempo" && target[key] == value)
        };
        let found = panels(dashboard).iter().any(|(_, panel)| panel["type"] == kind && asks(panel));
        let variables = items(&dashboard["templating"]["list"]);
        let chosen = |variable: &Value| {
            let query = variable["query"]["query"].as_str().unwrap_or_default();
            variable["name"] != "waterfall" || query.contains(r#""$trace_id""#)
        };
        findings.expect(variables.iter().all(chosen), file, "templating.list", "waterfall must be made of $trace_id");
        let fault = format!("has no panel of type {kind} that asks tempo, {}: {}", right[0], right[1]);
        findings.expect(found, file, "panels", fault);
    }
}
