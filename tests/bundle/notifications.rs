//! Policies, contact points and templates refer to each other, and Grafana expands only what compose sets.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::files::{Bundle, entries, items, texts};
use crate::findings::Findings;
use crate::queries::rules;

pub(crate) fn check(bundle: &Bundle) -> Findings {
    let mut findings = Findings::default();
    let files = bundle.alerting(&mut findings);
    let mut points = BTreeMap::new();
    let mut receivers = BTreeMap::new();
    let mut defined = BTreeSet::new();
    for (file, value) in &files {
        for (index, point) in items(&value["contactPoints"]).iter().enumerate() {
            let path = format!("contactPoints[{index}]");
            for (index, receiver) in items(&point["receivers"]).iter().enumerate() {
                let uid = receiver["uid"].as_str().unwrap_or_default();
                let once = !uid.is_empty() && receivers.insert(uid, ()).is_none();
                findings.expect(
                    once,
                    file,
                    &format!("{path}.receivers[{index}].uid"),
                    "must be there, and be the only one",
                );
            }
            points.insert(point["name"].as_str().unwrap_or_default(), (file, path));
        }
        for template in items(&value["templates"]) {
            let text = template["template"].as_str().unwrap_or_default();
            defined.extend(quoted_after(text, "define "));
        }
    }
    let mut used = BTreeSet::new();
    let mut trees = 0;
    for (file, value) in &files {
        for (index, policy) in items(&value["policies"]).iter().enumerate() {
            trees += 1;
            let path = format!("policies[{index}]");
            for key in ["group_by", "group_wait", "group_interval", "repeat_interval"] {
                findings.expect(!policy[key].is_null(), file, &format!("{path}.{key}"), "must be chosen");
            }
            route(file, &path, policy, &points, &mut used, &mut findings);
        }
        texts(value, "", &mut |path, text| {
            for name in quoted_after(text, "template ") {
                findings.expect(defined.contains(&name), file, path, format!("no template {name:?} is defined"));
            }
        });
    }
    findings.expect(
        trees == 1,
        "grafana/provisioning/alerting",
        "policies",
        "must be one tree: Grafana knows one only",
    );
    for (name, (file, path)) in &points {
        findings.expect(used.contains(name), file, &format!("{path}.name"), format!("no policy uses {name:?}"));
    }
    expansion(bundle, &files, &mut findings);
    findings
}

fn route<'a>(
    file: &str,
    path: &str,
    policy: &'a Value,
    points: &BTreeMap<&str, (&String, String)>,
    used: &mut BTreeSet<&'a str>,
    findings: &mut Findings,
) {
    let receiver = policy["receiver"].as_str().unwrap_or_default();
    findings.expect(
        points.contains_key(receiver),
        file,
        &format!("{path}.receiver"),
        format!("no contact point {receiver:?}"),
    );
    used.insert(receiver);
    for (index, inner) in items(&policy["routes"]).iter().enumerate() {
        route(file, &format!("{path}.routes[{index}]"), inner, points, used, findings);
    }
}

/// Grafana replaces `$NAME` and `${NAME}` by environment variables in data sources, contact points, policies, labels of
/// rules and dashboard providers, an unset one by nothing; `$$` is a dollar. Annotations and queries are left alone.
fn expansion(bundle: &Bundle, alerting: &[(String, Value)], findings: &mut Findings) {
    let compose = bundle.value("docker-compose.yml", findings).unwrap_or_default();
    let set: BTreeSet<&String> =
        entries(&compose["services"]["grafana"]["environment"]).map(|(name, _)| name).collect();
    let mut expanded = |file: &str, path: &str, value: &Value| {
        texts(value, path, &mut |path, text| {
            for name in expanded_names(text) {
                let known = set.iter().any(|set| **set == name);
                let fault =
                    format!("Grafana would replace ${name} by nothing: write $$, or set it in docker-compose.yml");
                findings.expect(known, file, path, fault);
            }
        });
    };
    for (file, value) in alerting {
        for key in ["contactPoints", "policies", "muteTimes"] {
            expanded(file, key, &value[key]);
        }
        for (path, rule) in rules(value) {
            expanded(file, &format!("{path}.labels"), &rule["labels"]);
        }
    }
    for folder in ["datasources", "dashboards", "plugins"] {
        for (file, value) in
            bundle.values(&format!("grafana/provisioning/{folder}"), &[".yaml", ".yml"], &mut Findings::default())
        {
            expanded(&file, "", &value);
        }
    }
}

/// The names after single dollars. A dollar before anything else counts as an empty name.
fn expanded_names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = text.replace("$$", "");
    while let Some(start) = rest.find('$') {
        rest = rest[start + 1..].trim_start_matches('{').to_owned();
        let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(rest.len());
        names.push(rest[..end].to_owned());
    }
    names
}

/// The quoted words that follow `keyword`, as in `template "redpane.title"`.
fn quoted_after(text: &str, keyword: &str) -> Vec<String> {
    let after = text.split(keyword).skip(1);
    after.filter_map(|rest| Some(rest.strip_prefix('"')?.split_once('"')?.0.to_owned())).collect()
}
