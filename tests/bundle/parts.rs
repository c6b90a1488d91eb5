//! What alert rules must know of the bundle's own parts: where Loki's disk counts as full, that the docker-reader is part of
//! collecting and no service of the user's, and whose lines nobody collects.

use std::collections::BTreeSet;

use crate::alert_queries;
use crate::files::{Bundle, entries, items};
use crate::findings::Findings;
use crate::queries::rules;

const STACK: &str = "grafana/provisioning/alerting/rules-stack.yaml";
/// Metrics of requests and lines. An alert or a recording rule over all services must leave the docker-reader out.
const JUDGED: [&str; 4] =
    ["http_requests_total{", "http_request_duration_seconds_", "redpane_build_info", "log_events_total"];
const LEFT_OUT: &str = r#"app!="docker-reader""#;

pub(crate) fn check(bundle: &Bundle) -> Findings {
    let mut findings = Findings::default();
    disk(bundle, &mut findings);
    judged(bundle, &mut findings);
    uncollected(bundle, &mut findings);
    findings
}

/// One number for the limit, everywhere; the warning comes shortly before it, or it would never end on a well-filled disk.
fn disk(bundle: &Bundle, findings: &mut Findings) {
    let loki = bundle.value("loki-config.yml", findings).unwrap_or_default();
    let Some(share) = loki["ingester"]["wal"]["disk_full_threshold"].as_f64() else { return };
    let limit = (share * 100.0).round();
    let rule_file = bundle.value(STACK, findings).unwrap_or_default();
    let Some((path, rule)) = rules(&rule_file).into_iter().find(|(_, rule)| rule["uid"] == "loki-disk") else {
        return findings.add(STACK, "", "has no rule loki-disk");
    };
    let condition = items(&rule["data"]).iter().find(|data| data["refId"] == "C");
    let threshold = condition.and_then(|data| data["model"]["conditions"][0]["evaluator"]["params"][0].as_f64());
    let threshold = threshold.unwrap_or_default();
    let near = (limit - 3.0..=limit - 1.0).contains(&threshold);
    let fault = format!("is {threshold}: must be 1 to 3 below {limit}, from which on Loki refuses lines");
    findings.expect(near, STACK, &format!("{path}.data[C]"), fault);

    let page = bundle.text("docs/runbooks.md", findings).unwrap_or_default();
    let section = page.split("\n## ").find(|section| section.starts_with("loki-disk")).unwrap_or_default();
    let row = page.lines().find(|line| line.starts_with("| [loki-disk]")).unwrap_or_default();
    let bundle_page = bundle.text("docs/bundle.md", findings).unwrap_or_default();
    let refuses = bundle_page.lines().find(|line| line.contains("Loki refuses lines")).unwrap_or_default();
    let annotation = |key: &str| rule["annotations"][key].as_str().unwrap_or_default();
    for (file, place, text, expected) in [
        (STACK, "summary", annotation("summary"), vec![limit]),
        (STACK, "description", annotation("description"), vec![threshold]),
        ("docs/runbooks.md", "the table", row, vec![threshold]),
        ("docs/runbooks.md", "loki-disk", section, vec![threshold, limit]),
        ("docs/bundle.md", "a full disk", refuses, vec![limit]),
    ] {
        let found = percentages(text);
        let fault = format!("has {found:?} %; must have {expected:?} %, as loki-config.yml and the rule have them");
        findings.expect(found == expected, file, place, fault);
    }
}

/// The numbers before ` %`, in their order, without those that a template writes.
fn percentages(text: &str) -> Vec<f64> {
    let before = text.split(" %").take(text.matches(" %").count());
    before.filter_map(|text| text.rsplit([' ', '\n', '(']).next()?.parse().ok()).collect()
}

/// The docker-reader's requests are Promtail's and its lines are not collected: nobody's objective, nothing to compare.
fn judged(bundle: &Bundle, findings: &mut Findings) {
    let mut queries: Vec<(&str, String, String)> = Vec::new();
    let recording = bundle.value("prometheus-rules.yml", findings).unwrap_or_default();
    for group in items(&recording["groups"]) {
        for rule in items(&group["rules"]) {
            let text = |key: &str| rule[key].as_str().unwrap_or_default().to_owned();
            queries.push(("prometheus-rules.yml", text("record"), text("expr")));
        }
    }
    for (name, query) in alert_queries::queries(bundle, findings) {
        queries.push(("grafana/provisioning/alerting", name, query));
    }
    let stack = bundle.value("grafana/dashboards/stack.json", findings).unwrap_or_default();
    for panel in items(&stack["panels"]).iter().filter(|panel| panel["title"] == "Counted, logged") {
        for target in items(&panel["targets"]).iter().filter(|target| target["datasource"]["type"] == "prometheus") {
            let query = target["expr"].as_str().unwrap_or_default().to_owned();
            queries.push(("grafana/dashboards/stack.json", "Counted, logged".to_owned(), query));
        }
    }
    let mut selectors = 0;
    for (file, name, query) in &queries {
        for metric in JUDGED {
            for (start, _) in query.match_indices(metric) {
                selectors += 1;
                let rest = &query[start..];
                let end = rest.find(['}', ')', '[']).unwrap_or(rest.len());
                findings.expect(
                    rest[..end].contains(LEFT_OUT),
                    file,
                    name,
                    format!("must have {LEFT_OUT} in {rest:?}"),
                );
            }
        }
    }
    findings.expect(selectors > 45, "prometheus-rules.yml", "", format!("only {selectors} selectors were looked at"));
}

/// The parts of the bundle whose lines nobody collects.
pub(crate) fn silent(bundle: &Bundle, findings: &mut Findings) -> BTreeSet<String> {
    let compose = bundle.value("docker-compose.yml", findings).unwrap_or_default();
    let silent = entries(&compose["services"])
        .filter(|(_, service)| service["scale"] != 0 && service["labels"]["logging_job"].is_null());
    silent.map(|(name, _)| name.clone()).collect()
}

/// An alert can name a part of the bundle whose lines nobody collects: a link to them would show nothing, so it leads to the
/// dashboard.
fn uncollected(bundle: &Bundle, findings: &mut Findings) {
    let silent = silent(bundle, findings);
    let rule_file = bundle.value(STACK, findings).unwrap_or_default();
    let mut asked = 0;
    for (path, rule) in rules(&rule_file) {
        let link = rule["annotations"]["logs_url"].as_str().unwrap_or_default();
        if !link.contains("app%3D%60{{ $labels.app }}%60") {
            continue;
        }
        asked += 1;
        let named = link.strip_prefix("{{ if eq $labels.app ");
        let (named, rest) = named.and_then(|rest| rest.split_once(" }}")).unwrap_or_default();
        let named: BTreeSet<String> = named.split(' ').map(|name| name.trim_matches('"').to_owned()).collect();
        let stack = "{{ externalURL }}d/redpane-stack?var-app={{ $labels.app }}&from=now-1h&to=now{{ else }}";
        let elsewhere = rest.starts_with(stack);
        let fault = format!("must lead to the dashboard Stack for {silent:?}, whose lines nobody collects");
        findings.expect(named == silent && elsewhere, STACK, &format!("{path}.annotations.logs_url"), fault);
    }
    findings.expect(asked > 0, STACK, "", "has no link to the lines of the service that an alert names");
}

#[test]
fn percentages_are_read_from_texts() {
    assert_eq!(percentages("over 93 % full; {{ printf \"%.0f\" .Value }} % of (95 % or\n0.5 %)"), [93.0, 95.0, 0.5]);
}
