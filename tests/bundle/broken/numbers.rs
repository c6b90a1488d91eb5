//! Numbers that do not say what is, or lead to other lines than those behind them.

use serde_json::{Value, json};

use super::{COMPOSE, Case, Copy, SERVICE, titled};
use crate::files::Bundle;
use crate::findings::Findings;
use crate::{adhoc, alert_queries, compose, docs, drilldown, lines, same};

const STACK: &str = "grafana/dashboards/stack.json";
const LOGS: &str = "grafana/dashboards/logs.json";

#[test]
fn a_number_that_does_not_see_the_first_loss() {
    let change = |dashboard: &mut Value| {
        let query = "sum(increase(loki_discarded_samples_total[$__range])) or vector(0)";
        titled(dashboard, "Lines lost")["targets"][0]["expr"] = json!(query);
    };
    Copy::new().change(LOGS, change).is_found(same::check, &[LOGS, "does not see the first value of loki_discarded"]);
    let change = |dashboard: &mut Value| titled(dashboard, "Counted, logged")["targets"][2] = json!({});
    Copy::new().change(STACK, change).is_found(same::check, &[STACK, "must have log_lines_sampled_out_total"]);
}

#[test]
fn a_query_of_a_rule_that_nobody_asks_where_nothing_was_lost() {
    const TESTS: &str = "tests/promtool/alerts.yml";
    let check = |bundle: &Bundle| {
        let mut findings = Findings::default();
        alert_queries::made_out(bundle, TESTS, &mut findings).map(std::fs::remove_file);
        findings
    };
    Copy::new().replace(TESTS, "count(alert:*)", "count(up)").is_found(check, &[TESTS, "never asks alert:*"]);
}

#[test]
fn a_series_that_leads_to_lines_nobody_collects() {
    let by_app = json!([{"title": "Lines", "url": "/d/redpane-logs?var-app=${__field.labels.app}"}]);
    let default = |dashboard: &mut Value| titled(dashboard, "Targets")["fieldConfig"]["defaults"]["links"] = by_app;
    Copy::new().change(STACK, default).is_found(lines::check, &[STACK, "defaults.links: leads to lines of every app"]);
    let cases: [Case; 2] = [
        (|dashboard| titled(dashboard, "Targets")["targets"][0]["expr"] = json!("up"), "overrides[0]: must be for"),
        (
            |dashboard| {
                let matcher = &mut titled(dashboard, "Memory against limits")["fieldConfig"]["overrides"][0]["matcher"];
                matcher["options"] = json!("/^(api|loki)$/");
            },
            "overrides[0]: must be for",
        ),
    ];
    for (change, part) in cases {
        Copy::new().change(STACK, change).is_found(lines::check, &[STACK, part]);
    }
}

#[test]
fn a_level_that_a_number_counts_and_its_link_does_not_choose() {
    let change = |dashboard: &mut Value| {
        let url = "/d/redpane-logs?var-level=ERROR&${__url_time_range}";
        titled(dashboard, "Warnings")["fieldConfig"]["defaults"]["links"][0]["url"] = json!(url);
    };
    Copy::new().change(LOGS, change).is_found(drilldown::check, &[LOGS, "lines of {\"WARN\"} and leads to those of"]);
}

#[test]
fn a_chosen_label_that_makes_a_zero() {
    let change = |dashboard: &mut Value| {
        let query = "sum(rate(traces_service_graph_request_total[1m])) or vector(0)";
        titled(dashboard, "Calls")["targets"][0]["expr"] = json!(query);
    };
    Copy::new().change(SERVICE, change).is_found(adhoc::check, &[SERVICE, "is 0 where a label is chosen"]);
}

#[test]
fn a_limit_or_a_number_of_alerts_that_is_said_otherwise() {
    let limit = |compose: &mut Value| {
        compose["services"]["alloy"]["deploy"]["resources"]["limits"]["memory"] = json!("200M");
    };
    Copy::new()
        .change("docker-compose.alloy.yml", limit)
        .is_found(compose::check, &[STACK, "must say the limit of Alloy"]);
    let limit =
        |compose: &mut Value| compose["services"]["api"]["deploy"]["resources"]["limits"]["memory"] = json!("192M");
    Copy::new().change(COMPOSE, limit).is_found(compose::check, &[STACK, "must say the limit of api"]);
    Copy::new()
        .replace("README.md", "nineteen alerts", "twenty alerts")
        .is_found(docs::alerts, &["README.md", "must say \"nineteen\": there are 19"]);
}
