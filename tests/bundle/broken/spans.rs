//! Links to spans and from them with one fault each.

use serde_json::{Value, json};

use super::{Case, Copy, SERVICE, SOURCES};
use crate::files::Bundle;
use crate::findings::Findings;
use crate::{links, metrics, promql, queries, service, waterfall};

/// The data source of this uid.
fn source<'a>(sources: &'a mut Value, uid: &str) -> &'a mut Value {
    let sources = sources["datasources"].as_array_mut().expect("a list");
    &mut sources.iter_mut().find(|source| source["uid"] == uid).expect("it is provisioned")["jsonData"]
}

#[test]
fn a_span_that_nothing_leads_to_or_that_leads_nowhere() {
    let cases: [Case; 9] = [
        (
            |all| source(all, "prometheus")["exemplarTraceIdDestinations"][0]["datasourceUid"] = json!("loki"),
            "prometheus.exemplarTraceIdDestinations",
        ),
        (|all| source(all, "loki")["derivedFields"][2]["url"] = json!("$${__value.text}"), "loki.derivedFields"),
        (|all| source(all, "tempo")["tracesToLogsV2"]["tags"] = json!([]), "tempo.tracesToLogsV2.tags"),
        (|all| source(all, "tempo")["tracesToLogsV2"]["customQuery"] = json!(false), "tempo.tracesToLogsV2.query"),
        (
            |all| {
                source(all, "tempo")["tracesToLogsV2"]["query"] = json!(r#"{${__tags}} | trace_id="${__span.traceId}""#)
            },
            "tempo.tracesToLogsV2.query",
        ),
        (|all| source(all, "tempo")["tracesToMetrics"]["tags"][1] = Value::Null, "must take http.route for route"),
        (
            |all| source(all, "tempo")["tracesToMetrics"]["queries"][0]["query"] = json!("up"),
            "tempo.tracesToMetrics.queries",
        ),
        (|all| source(all, "tempo")["serviceMap"] = Value::Null, "tempo.serviceMap"),
        (|all| source(all, "tempo")["nodeGraph"]["enabled"] = json!(false), "tempo.nodeGraph"),
    ];
    for (change, part) in cases {
        Copy::new().change(SOURCES, change).is_found(waterfall::check, &[part]);
    }
    let map = |dashboard: &mut Value| super::panel(dashboard, "nodeGraph")["type"] = json!("text");
    Copy::new().change(SERVICE, map).is_found(waterfall::check, &[SERVICE, "has no panel of type nodeGraph"]);
}

#[test]
fn a_query_behind_a_link_of_a_span_that_does_not_parse() {
    let check = |bundle: &Bundle| -> Findings {
        let (queries, mut findings) = queries::collect(bundle);
        let known = metrics::Known::of(bundle, service::metrics(), &mut findings);
        promql::check(&queries, &known, &mut findings);
        findings
    };
    let metric = |all: &mut Value| {
        source(all, "tempo")["tracesToMetrics"]["queries"][0]["query"] = json!("rate(http_hits_total{$$__tags}[5m])");
    };
    Copy::new()
        .change(SOURCES, metric)
        .is_found(check, &[SOURCES, "tracesToMetrics.queries[0].query", "http_hits_total"]);
    let trace = "grafana/dashboards/trace.json";
    let other = |dashboard: &mut Value| {
        let list = dashboard["templating"]["list"].as_array_mut().expect("a list");
        let variable = list.iter_mut().find(|one| one["name"] == "waterfall").expect("it is there");
        variable["query"]["query"] = json!("query_result(vector(1))");
    };
    Copy::new().change(trace, other).is_found(waterfall::check, &[trace, "must be made of $trace_id"]);
    let variable = |dashboard: &mut Value| super::panel(dashboard, "traces")["targets"][0]["query"] = json!("$trace");
    Copy::new().change(trace, variable).is_found(check, &[trace, "uses the variable $trace"]);
    let link = |dashboard: &mut Value| {
        let url = dashboard_url(dashboard).replace("%22query%22", "%22expr%22");
        super::panel(dashboard, "traces")["links"][0]["url"] = json!(url);
    };
    Copy::new().change(trace, link).is_found(links::check, &[trace, "a query without query"]);
}

fn dashboard_url(dashboard: &mut Value) -> String {
    super::panel(dashboard, "traces")["links"][0]["url"].as_str().expect("a link").to_owned()
}
