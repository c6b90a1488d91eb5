//! What an alert says and who it is. Its texts are read here as whoever is woken reads them: while it fires, after it has
//! ended, and when nothing was measured. Its labels are `app` alone, so an incident is one alert.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::files::{Bundle, items};
use crate::findings::Findings;
use crate::label_sets;
use crate::queries::rules;
use crate::texts::{self, Values};

pub(crate) fn check(bundle: &Bundle) -> Findings {
    let mut findings = Findings::default();
    for (file, value) in bundle.alerting(&mut findings) {
        for (path, rule) in rules(&value) {
            let mut add = |key: &str, fault: String| findings.add(&file, &format!("{path}.{key}"), fault);
            summary(rule, &mut add);
            words(rule, &mut add);
            identity(rule, &mut add);
        }
    }
    findings
}

/// The summary in each state, with numbers as awkward as they come.
fn summary(rule: &Value, add: &mut dyn FnMut(&str, String)) {
    let measured = |holds: f64, number: f64| -> Values {
        let names = items(&rule["data"]).iter().filter_map(|data| data["refId"].as_str());
        names.map(|name| (name.to_owned(), if name == "C" { holds } else { number })).collect()
    };
    let mut written = Vec::new();
    for (state, values) in [
        ("firing", measured(1.0, 1234.5)),
        ("firing by one", measured(1.0, 1.0)),
        ("resolved", measured(0.0, 0.0869)),
        ("resolved at nothing", measured(0.0, 0.0)),
        ("not measured", Values::new()),
    ] {
        for key in ["summary", "value"] {
            let template = rule["annotations"][key].as_str().unwrap_or_default();
            match texts::render(template, &values) {
                Ok(text) => {
                    let readable = !text.contains("  ") && (key == "value" || text.len() > 20);
                    if let Some(words) = one_of_many(&text) {
                        add(
                            &format!("annotations.{key}"),
                            format!("says {words:?} when {state}, which is one: {text:?}"),
                        );
                    }
                    if !readable || text.trim() != text || text.chars().count() > 250 {
                        add(&format!("annotations.{key}"), format!("reads badly when {state}: {text:?}"));
                    }
                    if key == "summary" {
                        written.push(text);
                    }
                }
                Err(fault) => add(&format!("annotations.{key}"), format!("when {state}: {fault}")),
            }
        }
    }
    windows(rule, add);
    // The message "resolved" carries the texts of the last evaluation.
    if let [firing, _, resolved, nothing, _] = written.as_slice()
        && (firing == resolved || firing == nothing)
    {
        add("annotations.summary", format!("says {firing:?} both when it fires and when it is resolved"));
    }
}

/// A rule with two clauses says which windows its numbers are of: those of the clause that fires.
fn windows(rule: &Value, add: &mut dyn FnMut(&str, String)) {
    if !rule["uid"].as_str().unwrap_or_default().ends_with("-burn") {
        return;
    }
    let template = rule["annotations"]["summary"].as_str().unwrap_or_default();
    let text = |second: f64| {
        let values = [("A", 8.0), ("C", 1.0), ("short", 0.8), ("long", 2.0), ("second", second)];
        texts::render(template, &values.map(|(name, value)| (name.to_owned(), value)).into())
    };
    let windows: &[[&str; 2]] = match rule["for"].as_str() {
        Some("1m") => &[["5 minutes", "hour"], ["30 minutes", "6 hours"]],
        _ => &[["2 hours", "day"], ["6 hours", "3 days"]],
    };
    for (second, [short, long]) in [0.0, 1.0].into_iter().zip(windows) {
        let right = text(second).is_ok_and(|text| {
            text.contains("0.80 % of requests")
                && text.ends_with(&format!(" in the last {short}, 2.00 % in the last {long}"))
        });
        if !right {
            let said = text(second);
            add("annotations.summary", format!("must end with the windows {short} and {long}: {said:?}"));
        }
    }
}

/// A one that counts several, such as "1 error lines".
fn one_of_many(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split(' ').collect();
    let places = words.iter().enumerate().filter(|(_, word)| **word == "1").map(|(place, _)| place);
    let counted = places.filter_map(|place| {
        let mut after = words[place + 1..].iter().take(2).map(|word| word.trim_end_matches([',', '.', ':']));
        let many = after.clone().find(|word| word.len() > 1 && word.ends_with('s'));
        many.map(|many| {
            format!("1 {}", after.by_ref().take_while(|word| *word != many).chain([many]).collect::<Vec<_>>().join(" "))
        })
    });
    counted.into_iter().next()
}

/// A description is sent with a resolved alert too: it says when the rule fires, which is true at any time.
fn words(rule: &Value, add: &mut dyn FnMut(&str, String)) {
    let description = rule["annotations"]["description"].as_str().unwrap_or_default();
    if !description.starts_with("Fires when ") || description.contains("{{") {
        add("annotations.description", "must begin with \"Fires when\", without templates".to_owned());
    }
}

/// Every query that decides has the label `app` and no other, or none where the rule itself sets `app`.
fn identity(rule: &Value, add: &mut dyn FnMut(&str, String)) {
    let fixed = rule["labels"]["app"].is_string();
    if fixed && rule["annotations"].to_string().contains("$labels") {
        add("annotations", "read $labels, which has no label of the rule itself: write the app out".to_owned());
    }
    let allowed: &[&[&str]] = if fixed { &[&[], &["app"]] } else { &[&["app"]] };
    let condition = items(&rule["data"]).iter().find(|data| data["refId"] == rule["condition"]);
    let reads = condition.and_then(|condition| condition["model"]["expression"].as_str()).unwrap_or_default();
    let decides = |name: &str| reads == name || reads.split(' ').any(|word| word.strip_prefix('$') == Some(name));
    for (index, data) in items(&rule["data"]).iter().enumerate() {
        let (name, text) = (data["refId"].as_str().unwrap_or_default(), data["model"]["expr"].as_str());
        let Some(text) = text.filter(|_| decides(name)) else { continue };
        let fault = match data["datasourceUid"].as_str() {
            Some("loki") => loki(text),
            _ => match label_sets::of(text) {
                Ok(labels) => {
                    let right = allowed.iter().any(|set| labels == set.iter().map(|&label| label.to_owned()).collect());
                    (!right).then(|| format!("has the labels {labels:?}, must have app alone: {text}"))
                }
                Err(fault) => Some(format!("{fault}: {text}")),
            },
        };
        if let Some(fault) = fault {
            add(&format!("data[{index}].model.expr"), fault);
        }
    }
}

/// LogQL has no parser here: each side of an `or` stands on a line of its own and is a sum by app.
fn loki(text: &str) -> Option<String> {
    let sides: BTreeSet<bool> = text
        .trim()
        .split("\nor ")
        .map(|side| side.trim_start_matches("0 * ").starts_with("sum by (app) (count_over_time("))
        .collect();
    (sides != BTreeSet::from([true])).then(|| format!("must be sums by (app), joined by `or`: {text}"))
}
