//! Dashboards, links, queries, alert rules and notifications with one fault each.

use serde_json::{Value, json};

use super::{ALERTS, Case, Copy, POINTS, RULES, SERVICE, SOURCES, panel, titled};
use crate::files::Bundle;
use crate::findings::Findings;
use crate::{
    alert_texts, alerts, dashboards, drilldown, links, logql, metrics, notifications, promql, queries, rows, runbooks,
    service, shown,
};

/// A row of the dashboard of the service that is collapsed.
const STREAMS: &str = "Streams and gRPC calls";

fn check_promql(bundle: &Bundle) -> Findings {
    let (queries, mut findings) = queries::collect(bundle);
    let known = metrics::Known::of(bundle, service::metrics(), &mut findings);
    promql::check(&queries, &known, &mut findings);
    findings
}

#[test]
fn a_dashboard_that_grafana_or_a_reader_would_refuse() {
    let cases: [Case; 11] = [
        (|dashboard| panel(dashboard, "stat")["options"]["graphMode"] = json!("area"), "].options.graphMode"),
        (|dashboard| dashboard["apiVersion"] = json!("dashboard.grafana.app/v2"), "apiVersion"),
        (|dashboard| dashboard["uid"] = json!("other"), "uid: \"other\""),
        (|dashboard| dashboard["schemaVersion"] = json!("42"), "schemaVersion"),
        (|dashboard| panel(dashboard, "timeseries")["description"] = json!(" "), "].description"),
        (|dashboard| panel(dashboard, "timeseries")["title"] = json!(""), "].title"),
        (
            |dashboard| panel(dashboard, "timeseries")["fieldConfig"]["defaults"]["unit"] = Value::Null,
            "].fieldConfig.defaults.unit",
        ),
        (
            |dashboard| panel(dashboard, "stat")["fieldConfig"]["defaults"]["thresholds"] = Value::Null,
            "thresholds.steps",
        ),
        (|dashboard| panel(dashboard, "stat")["id"] = json!(1), "].id: is that of panels[0]"),
        (
            |dashboard| panel(dashboard, "stat")["gridPos"] = json!({"x": 22, "y": 900, "w": 3, "h": 1}),
            "does not fit 24 columns",
        ),
        (
            |dashboard| panel(dashboard, "stat")["targets"][0]["datasource"]["uid"] = json!("influx"),
            "\"influx\" is not provisioned",
        ),
    ];
    for (change, part) in cases {
        Copy::new().change(SERVICE, change).is_found(dashboards::check, &[SERVICE, part]);
    }
    let over = |dashboard: &mut Value| {
        let place = dashboard["panels"][1]["gridPos"].clone();
        dashboard["panels"][2]["gridPos"] = place;
    };
    Copy::new().change(SERVICE, over).is_found(dashboards::check, &[SERVICE, "panels[2].gridPos: lies over panels[1]"]);
}

#[test]
fn a_row_whose_panels_nobody_could_see() {
    let cases: [Case; 3] = [
        (|row| row["collapsed"] = json!(false), "only where it is collapsed"),
        (|row| row["panels"][0]["gridPos"]["y"] = json!(0), "must stand below it"),
        (|row| row["panels"][1]["gridPos"] = row["panels"][0]["gridPos"].clone(), "].panels[1].gridPos: lies over"),
    ];
    for (change, part) in cases {
        let change = |dashboard: &mut Value| change(titled(dashboard, STREAMS));
        Copy::new().change(SERVICE, change).is_found(dashboards::check, &[SERVICE, part]);
    }
}

#[test]
fn a_metric_that_no_panel_shows() {
    for (index, name) in
        ["http_streams_in_flight", "http_streams_total", "http_stream_duration_seconds", "grpc_server_handled_total"]
            .into_iter()
            .enumerate()
    {
        let change = |dashboard: &mut Value| titled(dashboard, STREAMS)["panels"][index]["targets"] = json!([]);
        Copy::new().change(SERVICE, change).is_found(shown::check, &[name, "is in no panel"]);
    }
    let gone = "| `redpane_pane_bytes` (where there is [a pane](pane.md)) | gauge | |\n";
    Copy::new()
        .replace("docs/library.md", gone, "")
        .is_found(shown::check, &["redpane_pane_bytes", "not in the table"]);
}

#[test]
fn a_part_of_the_bundle_that_no_row_shows() {
    let stack = "grafana/dashboards/stack.json";
    let cases: [Case; 3] = [
        (|dashboard| titled(dashboard, "Gateway")["title"] = json!("Balancer"), "has no row \"gateway\""),
        (|dashboard| titled(dashboard, "Docker-reader")["type"] = json!("text"), "has no row \"docker-reader\""),
        (
            |dashboard| titled(dashboard, "Bytes")["targets"] = json!([{"refId": "A", "expr": "vector(0)"}]),
            "\"Bytes\" in the row of \"gateway\" asks for no metric",
        ),
    ];
    for (change, part) in cases {
        Copy::new().change(stack, change).is_found(rows::check, &[stack, part]);
    }
}

#[test]
fn a_link_to_nowhere() {
    let cases = [
        ("/d/redpane-nowhere", "there is no dashboard with the uid \"redpane-nowhere\""),
        ("/d/redpane-trace?var-trace=1", "has no variable \"trace\""),
        ("/explore?schemaVersion=1&orgId=1&panes=%7B%22a%22", "panes are no JSON"),
        (
            "/explore?schemaVersion=1&orgId=1&panes=%7B%22a%22%3A%7B%22datasource%22%3A%22loki%22%7D%7D",
            "pane a has no range.from",
        ),
        ("/somewhere", "leads neither to"),
        ("/d/redpane-trace?var-trace_id=${nothing}", "uses the variable $nothing"),
    ];
    for (url, part) in cases {
        let change = |dashboard: &mut Value| dashboard["links"][0]["url"] = json!(url);
        Copy::new().change(SERVICE, change).is_found(links::check, &[SERVICE, "links[0].url", part]);
    }
}

#[test]
fn a_number_that_leads_to_other_lines_than_those_behind_it() {
    let check = drilldown::check;
    let cases: [Case; 8] = [
        (|dashboard| panel(dashboard, "stat")["gridPos"]["w"] = json!(3), "cuts its title"),
        (
            |dashboard| {
                let target = &mut panel(dashboard, "heatmap")["targets"][0]["expr"];
                *target = json!(target.as_str().unwrap_or_default().to_owned() + " or vector(0)");
            },
            "Grafana invents requests",
        ),
        (
            |dashboard| titled(dashboard, "Latency")["fieldConfig"]["defaults"]["custom"] = json!({}),
            "needs a log scale",
        ),
        (
            |dashboard| {
                titled(dashboard, "Latency")["targets"][0]["expr"] = json!("histogram_quantile(1, x) or vector(0)")
            },
            "no place for zero",
        ),
        (|dashboard| titled(dashboard, "Traffic")["fieldConfig"]["defaults"]["links"] = json!([]), "lines of its time"),
        (
            |dashboard| {
                let url = "/d/redpane-logs?var-status=5..&time=${__value.time}&time.window=1000";
                titled(dashboard, "Errors")["fieldConfig"]["defaults"]["links"][0]["url"] = json!(url);
            },
            "of its app and route",
        ),
        (
            |dashboard| dashboard["links"][0]["url"] = json!("/d/redpane-trace?var-trace_id=1"),
            "links[0].url: /d/redpane-trace?var-trace_id=1 carries no time range",
        ),
        (
            |dashboard| panel(dashboard, "table")["targets"][0]["expr"] = json!(r#"{app="api", level=~"ERROR|WARN"}"#),
            "right under the golden signals",
        ),
    ];
    for (change, part) in cases {
        Copy::new().change(SERVICE, change).is_found(check, &[SERVICE, part]);
    }
    let logs = "grafana/dashboards/logs.json";
    let cases = [(r#"{app="api"} | json"#, "app_extracted"), (r#"{app="api"}"#, "line_format")];
    for (query, part) in cases {
        let change = |dashboard: &mut Value| panel(dashboard, "logs")["targets"][0]["expr"] = json!(query);
        Copy::new().change(logs, change).is_found(check, &[logs, part]);
    }
    let long = "%7Bapp%3D~%5C%22.%2B%5C%22%2Capp%3D~%5C%22";
    let change = |text: &str| text.replacen("%7Bapp%3D~%5C%22", long, 1);
    Copy::new().edit(SERVICE, change).is_found(check, &[SERVICE, "is no short query"]);
    let change = |sources: &mut Value| {
        sources["datasources"][1]["jsonData"]["derivedFields"][0]["datasourceUid"] = json!("loki");
    };
    Copy::new().change(SOURCES, change).is_found(check, &[SOURCES, "derivedFields[0]", "Loki reads `expr`"]);
}

#[test]
fn a_promql_query_that_does_not_parse_or_names_what_does_not_exist() {
    let cases = [
        ("sum(rate(http_requests_total[5m])", "is no PromQL"),
        ("http_request_total", "no metric \"http_request_total\""),
        ("sum by (path) (http_requests_total)", "nothing has a label \"path\""),
        (r#"http_requests_total{code="500"}"#, "http_requests_total has no label \"code\""),
        (r#"http_request_duration_seconds_bucket{le="0.3"}"#, "has no bucket le=\"0.3\""),
        ("app:http_requests:rate1m", "no metric \"app:http_requests:rate1m\""),
        ("up == on (pod) up", "nothing has a label \"pod\""),
        ("up{app=\"$application\"}", "uses the variable $application"),
    ];
    for (query, part) in cases {
        let change = |dashboard: &mut Value| panel(dashboard, "stat")["targets"][0]["expr"] = json!(query);
        Copy::new().change(SERVICE, change).is_found(check_promql, &[SERVICE, "targets[0].expr", part]);
    }
    let change = |rules: &mut Value| rules["groups"][0]["rules"][0]["expr"] = json!("rate(http_hits_total[5m])");
    Copy::new()
        .change(RULES, change)
        .is_found(check_promql, &[RULES, "rules[app_route:http_requests:rate5m].expr", "http_hits_total"]);
    Copy::new()
        .append("docs/runbooks.md", "\n```promql\nup{\n```\n")
        .is_found(check_promql, &["docs/runbooks.md", "line", "no PromQL"]);
}

#[test]
fn a_logql_query_that_does_not_parse_or_selects_by_what_is_no_label() {
    let Some(parser) = logql::Parser::find() else { return };
    let check = |bundle: &Bundle| {
        let (queries, mut findings) = queries::collect(bundle);
        logql::check(&parser, &queries, &mut findings);
        findings
    };
    let cases = [
        (r#"{app="api"} | json | status >> 500"#, "is no LogQL, at"),
        (r#"sum by (app) (count_over_time({app="api"} | json)"#, "is no LogQL, at"),
        (r#"{job="api"}"#, "\"job\" is none of the labels"),
        (r#"{app=~".*"}"#, "no matcher excludes the empty value"),
    ];
    for (query, part) in cases {
        let change = |dashboard: &mut Value| panel(dashboard, "logs")["targets"][0]["expr"] = json!(query);
        Copy::new()
            .change("grafana/dashboards/logs.json", change)
            .is_found(check, &["logs.json", "targets[0].expr", part]);
    }
    Copy::new()
        .append("docs/runbooks.md", "\n```logql\n{app=}\n```\n")
        .is_found(check, &["docs/runbooks.md", "line", "no LogQL"]);
}

#[test]
fn an_alert_rule_that_leads_nowhere() {
    let cases: [Case; 14] = [
        (|rule| rule["labels"]["severity"] = json!("critical"), "labels.severity"),
        (|rule| rule["noDataState"] = Value::Null, "noDataState"),
        (|rule| rule["execErrState"] = json!("error"), "execErrState"),
        (|rule| rule["for"] = Value::Null, "for: is missing"),
        (|rule| rule["annotations"]["summary"] = json!(""), "annotations.summary"),
        (|rule| rule["annotations"]["summary"] = json!("{{ $values.Z.Value }}"), "reads a value that no refId has"),
        (|rule| rule["annotations"]["description"] = Value::Null, "annotations.description"),
        (
            |rule| rule["annotations"]["runbook_url"] = json!("{{ externalURL }}d/redpane-runbooks?viewPanel=99"),
            "annotations.runbook_url: must be {{ externalURL }}d/redpane-runbooks?viewPanel=2&var-app",
        ),
        (
            |rule| rule["annotations"]["dashboard_url"] = json!("{{ externalURL }}d/redpane-service"),
            "annotations.dashboard_url: must be {{ externalURL }}d/redpane-service?var-app",
        ),
        (
            |rule| rule["annotations"]["logs_url"] = json!("{{ externalURL }}explore?schemaVersion=1&orgId=1"),
            "annotations.logs_url: must have the range",
        ),
        (|rule| rule["panelId"] = json!(9999), "has no panel \"9999\""),
        (|rule| rule["dashboardUid"] = json!("redpane-none"), "there is no dashboard \"redpane-none\""),
        (|rule| rule["condition"] = json!("Z"), "condition: names no refId"),
        (|rule| rule["data"][0]["datasourceUid"] = json!("influx"), "data[0].datasourceUid"),
    ];
    for (change, part) in cases {
        let change = |alerts: &mut Value| change(&mut alerts["groups"][0]["rules"][0]);
        Copy::new().change(ALERTS, change).is_found(alerts::check, &[ALERTS, "groups[service].rules[any-5xx]", part]);
    }
    let section = "\n## nobody-asks\n";
    Copy::new()
        .append("docs/runbooks.md", section)
        .is_found(alerts::check, &["docs/runbooks.md", "nobody-asks", "no alert rule"]);
}

#[test]
fn an_alert_that_cannot_be_read_or_changes_its_identity() {
    let cases: [Case; 8] = [
        (
            |rule| {
                let text =
                    "{{ $labels.app }} has lost {{ with $values.A }}{{ printf \"%.0f\" .Value }} error lines{{ end }}";
                rule["annotations"]["summary"] = json!(text);
            },
            "says \"1 error lines\" when firing by one",
        ),
        (|rule| rule["annotations"]["summary"] = json!("{{ $labels.app }} has failed requests"), "both when it fires"),
        (|rule| rule["annotations"]["summary"] = json!("{{ $values.A.Value | humanize }} a second"), "not understood"),
        (|rule| rule["annotations"]["summary"] = json!("{{ printf \"%.0f\" $values.A.Value }}"), "may be missing"),
        (|rule| rule["annotations"]["description"] = json!("Some requests fail."), "annotations.description"),
        (|rule| rule["data"][0]["model"]["expr"] = json!("sum(rate(http_requests_total[2m])) > 0"), "app alone"),
        (|rule| rule["data"][0]["model"]["expr"] = json!("up or up"), "the metric's name"),
        (
            |rule| rule["data"][0]["model"]["expr"] = json!("sum by (app, job) (up) or sum by (app) (up)"),
            "one incident would be two alerts",
        ),
    ];
    for (change, part) in cases {
        let change = |alerts: &mut Value| change(&mut alerts["groups"][0]["rules"][0]);
        Copy::new().change(ALERTS, change).is_found(alert_texts::check, &[ALERTS, "rules[any-5xx]", part]);
    }
}

#[test]
fn a_page_of_runbooks_that_its_dashboard_does_not_show() {
    Copy::new()
        .append("docs/runbooks.md", "\nOne more sentence.\n")
        .is_found(runbooks::check, &["grafana/dashboards/runbooks.json", "REDPANE_WRITE_RUNBOOKS=1 cargo test"]);
    Copy::new()
        .append("docs/runbooks.md", "\nAsk `curl localhost:8000/healthz`.\n")
        .is_found(runbooks::check, &["docs/runbooks.md", "has a port, which .env may change"]);
}

#[test]
fn a_notification_that_reaches_nobody_or_expands_to_nothing() {
    let check = notifications::check;
    let policies = "grafana/provisioning/alerting/policies.yaml";
    let route = |value: &mut Value| value["policies"][0]["routes"][0]["receiver"] = json!("nobody");
    Copy::new()
        .change(policies, route)
        .is_found(check, &[policies, "routes[0].receiver", "no contact point \"nobody\""]);
    let name = |value: &mut Value| value["contactPoints"][1]["name"] = json!("unused");
    Copy::new().change(POINTS, name).is_found(check, &[POINTS, "contactPoints[1].name", "no policy uses \"unused\""]);
    let url = |value: &mut Value| value["contactPoints"][1]["receivers"][0]["settings"]["url"] = json!("${SLACK_URL}");
    Copy::new().change(POINTS, url).is_found(check, &[POINTS, "settings.url", "$SLACK_URL by nothing"]);
    let title = |value: &mut Value| {
        value["contactPoints"][1]["receivers"][0]["settings"]["title"] = json!("{{ template \"x\" . }}")
    };
    Copy::new().change(POINTS, title).is_found(check, &[POINTS, "settings.title", "no template \"x\""]);
    Copy::new()
        .replace(SOURCES, "$${__value.raw}", "${__value.raw}")
        .is_found(check, &[SOURCES, "derivedFields[0].url", "$__value"]);
    let label = |value: &mut Value| value["groups"][0]["rules"][0]["labels"]["team"] = json!("{{ $labels.team }}");
    Copy::new().change(ALERTS, label).is_found(check, &[ALERTS, "rules[any-5xx].labels.team", "$labels"]);
}
