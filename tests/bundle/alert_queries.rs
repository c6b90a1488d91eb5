//! The queries of alert rules inside promtool's tests. Grafana's rules are no file that promtool reads, so a test names a
//! query, as `alert:any-5xx` or, by its refId, `alert:any-5xx/share`, and gets its text here: no copy can go stale.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::files::{Bundle, items, scalar};
use crate::findings::Findings;
use crate::queries::rules;

/// The file that must try every query of every rule.
const ALL: &str = "tests/promtool/alerts.yml";
/// Stands for each query of each rule: what a test says of it, it says of all of them.
const EACH: &str = "alert:*";

/// The PromQL queries by `uid/refId`, and by `uid` alone where a rule has only one or it is called A.
pub(crate) fn queries(bundle: &Bundle, findings: &mut Findings) -> BTreeMap<String, String> {
    let mut queries = BTreeMap::new();
    for (_, value) in bundle.alerting(findings) {
        for (_, rule) in rules(&value) {
            let uid = rule["uid"].as_str().unwrap_or_default();
            for data in items(&rule["data"]).iter().filter(|data| data["datasourceUid"] == "prometheus") {
                let name = data["refId"].as_str().unwrap_or_default();
                let key = if name == "A" { uid.to_owned() } else { format!("{uid}/{name}") };
                queries.insert(key, data["model"]["expr"].as_str().unwrap_or_default().trim().to_owned());
            }
        }
    }
    queries
}

/// A copy of a test with the queries in it; `None` for a test without any.
pub(crate) fn made_out(bundle: &Bundle, file: &str, findings: &mut Findings) -> Option<PathBuf> {
    let text = bundle.text(file, findings)?;
    if !text.contains("alert:") {
        return None;
    }
    let queries = queries(bundle, findings);
    let mut value = bundle.value(file, findings)?;
    let mut used = Vec::new();
    let asks_each = write_out(&mut value, &queries) || file != ALL;
    findings.expect(asks_each, file, "", format!("never asks {EACH} for a result where nothing has been lost yet"));
    replace(&mut value, &queries, &mut used);
    for missing in queries.keys().filter(|key| file == ALL && !used.contains(key)) {
        findings.add(file, "", format!("never tries alert:{missing}"));
    }
    for unknown in texts_left(&value) {
        findings.add(file, "", format!("{unknown:?} names no query of a rule"));
    }
    let folder = bundle.root().join(file);
    let folder = folder.parent().unwrap_or(bundle.root());
    value["rule_files"] =
        items(&value["rule_files"]).iter().map(|rules| folder.join(scalar(rules)).display().to_string()).collect();
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let name = format!("promtool-{}-{}.yml", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let made = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    // JSON is YAML too.
    std::fs::write(&made, value.to_string()).expect("the test can be written");
    Some(made)
}

/// Makes one test for each query of those that name `EACH`. These do not count as tries of it. Whether
/// there was one.
fn write_out(value: &mut Value, queries: &BTreeMap<String, String>) -> bool {
    let mut found = false;
    for test in value["tests"].as_array_mut().into_iter().flatten() {
        let Some(cases) = test["promql_expr_test"].as_array_mut() else { continue };
        let (all, single): (Vec<Value>, Vec<Value>) = std::mem::take(cases)
            .into_iter()
            .partition(|case| case["expr"].as_str().is_some_and(|text| text.contains(EACH)));
        found |= !all.is_empty();
        cases.extend(single);
        for case in all {
            cases.extend(queries.values().map(|query| {
                let mut case = case.clone();
                case["expr"] = scalar(&case["expr"]).replace(EACH, &format!("({query})")).into();
                case
            }));
        }
    }
    found
}

/// Puts the query in the place of each `alert:name`; a name ends where no letter, digit, `-`, `/` follows.
fn replace<'a>(value: &mut Value, queries: &'a BTreeMap<String, String>, used: &mut Vec<&'a String>) {
    match value {
        Value::String(text) => {
            while let Some(start) = text.find("alert:") {
                let name = name(&text[start + 6..]).to_owned();
                let Some((key, query)) = queries.get_key_value(&name) else { return };
                used.push(key);
                text.replace_range(start..start + 6 + name.len(), &format!("({query})"));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, queries, used)),
        Value::Object(entries) => entries.values_mut().for_each(|value| replace(value, queries, used)),
        _ => {}
    }
}

fn name(text: &str) -> &str {
    let end = text.find(|letter: char| !letter.is_ascii_alphanumeric() && !"-/".contains(letter));
    &text[..end.unwrap_or(text.len())]
}

fn texts_left(value: &Value) -> Vec<String> {
    let mut left = Vec::new();
    crate::files::texts(value, "", &mut |_, text| {
        left.extend(text.split("alert:").skip(1).map(|rest| format!("alert:{}", name(rest))));
    });
    left
}
