//! Alert rules that say another limit than Loki's, judge the docker-reader, or lead to lines that nobody collects.

use serde_json::json;

use super::{ALERTS, Copy, RULES};
use crate::{alert_texts, parts};

const STACK: &str = "grafana/provisioning/alerting/rules-stack.yaml";
const OBJECTIVES: &str = "grafana/provisioning/alerting/rules-objectives.yaml";

#[test]
fn a_limit_of_the_disk_that_is_not_that_of_loki() {
    Copy::new()
        .change("loki-config.yml", |loki| loki["ingester"]["wal"]["disk_full_threshold"] = json!(0.97))
        .is_found(parts::check, &["docs/bundle.md", "a full disk", "must have [97.0] %"]);
    for (file, from, to, part) in [
        (STACK, "from 95 % on", "from 90 % on", "summary: has [90.0] %"),
        (STACK, "more than 93 %", "more than 80 %", "description: has [80.0] %"),
        (STACK, "params: [93]", "params: [80]", "must be 1 to 3 below 95"),
        ("docs/runbooks.md", "From 95 %", "From 90 %", "loki-disk: has [93.0, 90.0] %"),
        ("docs/runbooks.md", "Loki is over 93 %", "Loki is over 80 %", "the table: has [80.0] %"),
    ] {
        Copy::new().replace(file, from, to).is_found(parts::check, &[file, part]);
    }
}

#[test]
fn a_rule_that_judges_the_docker_reader() {
    for (file, from) in [
        (RULES, r#"rate(http_requests_total{app!="docker-reader", "#),
        (RULES, r#"max by (app) (redpane_build_info{app!="docker-reader"#),
        (ALERTS, r#"increase(http_requests_total{app!="docker-reader", "#),
        (STACK, r#"rate(log_events_total{app!="docker-reader"#),
        ("grafana/dashboards/stack.json", r#"app!=\"docker-reader\", "#),
    ] {
        let to = from.replace("docker-reader", "nobody");
        let place = if file.contains("alerting") { "grafana/provisioning/alerting" } else { file };
        Copy::new().replace(file, from, &to).is_found(parts::check, &[place, r#"must have app!="docker-reader""#]);
    }
}

#[test]
fn a_link_to_lines_that_nobody_collects() {
    Copy::new()
        .replace(STACK, r#" "grafana" }}"#, " }}")
        .is_found(parts::check, &[STACK, "rules[target-down].annotations.logs_url", "dashboard Stack"]);
    let collected =
        |compose: &mut serde_json::Value| compose["services"]["loki"]["labels"]["logging_job"] = json!("loki");
    Copy::new()
        .change(super::COMPOSE, collected)
        .is_found(parts::check, &[STACK, "rules[target-down].annotations.logs_url"]);
}

#[test]
fn a_burn_rate_whose_text_has_the_numbers_of_another_window() {
    Copy::new()
        .replace(OBJECTIVES, "30 minutes{{ else }}5 minutes", "5 minutes{{ else }}5 minutes")
        .is_found(alert_texts::check, &[OBJECTIVES, "[availability-fast-burn]", "30 minutes and 6 hours"]);
}
