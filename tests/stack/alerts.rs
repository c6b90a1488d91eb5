//! The alert rules as Grafana runs them, and one of them from incident to recovery.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::bundle::{Bundle, eventually, root};

/// Titles of the rules in the provisioned files.
fn provisioned() -> BTreeSet<String> {
    let mut titles = BTreeSet::new();
    for file in std::fs::read_dir(format!("{}/grafana/provisioning/alerting", root())).unwrap() {
        let path = file.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with("rules-") {
            let text = std::fs::read_to_string(path).unwrap();
            let lines = text.lines().filter_map(|line| line.strip_prefix("        title: "));
            titles.extend(lines.map(str::to_owned));
        }
    }
    titles
}

/// The rules as Grafana reports them.
fn rules(bundle: &Bundle) -> Vec<Value> {
    let answer = bundle.grafana("GET", "/api/prometheus/grafana/api/v1/rules", "").json();
    let groups = answer["data"]["groups"].as_array().unwrap();
    groups.iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
}

pub(crate) fn every_rule_is_loaded_and_evaluates(bundle: &Bundle) {
    let expected = provisioned();
    assert!(expected.len() >= 15, "{expected:?}");
    eventually("every rule was evaluated without an error", 150, || {
        let rules = rules(bundle);
        let loaded: BTreeSet<String> = rules.iter().map(|rule| rule["name"].as_str().unwrap().to_owned()).collect();
        if loaded != expected {
            return Err(format!("loaded {loaded:?}, provisioned {expected:?}"));
        }
        // The year 1 is Grafana's "never". Health "nodata" is what a rule without anything wrong to find has.
        let bad = |rule: &&Value| {
            let evaluated = rule["lastEvaluation"].as_str().is_some_and(|time| !time.starts_with("0001"));
            let failed = rule["lastError"].as_str().is_some_and(|error| !error.is_empty());
            !evaluated || failed || (rule["health"] != "ok" && rule["health"] != "nodata")
        };
        match rules.iter().find(bad) {
            Some(rule) => Err(rule.to_string()),
            None => Ok(()),
        }
    });
    let mut texts = 0;
    for rule in rules(bundle) {
        for alert in rule["alerts"].as_array().into_iter().flatten() {
            // Without a line of level ERROR there is nothing whose app could be told.
            if !alert["state"].as_str().unwrap_or_default().contains("NoData") {
                assert!(alert["labels"]["app"].is_string(), "an alert without app: {alert}");
                texts += readable(alert);
            }
        }
    }
    assert!(texts >= 60, "{texts} texts of alerts");
    println!("  {} rules, {texts} texts", expected.len());
}

/// How many annotations an alert has; panics if one of them is no text for people: a template that failed, or a value that
/// was not there.
fn readable(alert: &Value) -> usize {
    let annotations = alert["annotations"].as_object().unwrap();
    for (name, text) in annotations {
        let text = text.as_str().unwrap();
        let broken = ["{{", "no value", "NaN", "%!"].iter().find(|mark| text.contains(**mark));
        assert_eq!(broken, None, "annotation {name} of {alert}");
    }
    annotations.len()
}

/// `scripts/drill.sh`: fired, delivered and read, resolved and read, once, and its faults are gone. What the texts must be
/// stands in the script.
pub(crate) fn the_drill_passes(bundle: &Bundle) {
    quiet(bundle);
    let said = drill(bundle, &[]);
    says(
        &said,
        &[
            "Any 5xx, resolved: api has answered no request with 5xx",
            "has passed the end of its five-minute window after",
            "drill passed: one incident, delivered once",
        ],
    );
}

/// `scripts/drill.sh payment`: only the last service fails, and from the alert of `api` it is two clicks to the line that says so.
pub(crate) fn the_drill_of_the_last_service_passes(bundle: &Bundle) {
    quiet(bundle);
    let said = drill(bundle, &["payment"]);
    says(
        &said,
        &[
            "turning faults of payment on",
            "the line of payment that says why a request of api failed is in Loki after",
            "payment 500 GET /checkout: injected by /faults (error_ratio 0.2)",
            "drill passed: one incident, delivered once",
        ],
    );
}

/// What the steps before sent must be out of the drill's window, or its time to fire would not be the drill's.
fn quiet(bundle: &Bundle) {
    eventually("the drill's alert is quiet", 600, || {
        let restless = |rule: &&Value| rule["name"] == "Any 5xx" && rule["state"] != "inactive";
        rules(bundle).iter().find(restless).map_or(Ok(()), |rule| Err(rule.to_string()))
    });
}

/// Runs the drill to its end, and gives what it said.
fn drill(bundle: &Bundle, arguments: &[&str]) -> Vec<String> {
    let mut drill = bundle.script("drill.sh").args(arguments).stdout(Stdio::piped()).spawn().unwrap();
    let said: Vec<String> = BufReader::new(drill.stdout.take().unwrap()).lines().map_while(Result::ok).collect();
    for line in &said {
        println!("  {line}");
    }
    let status = drill.wait().unwrap();
    assert!(status.success(), "drill.sh {arguments:?}: {status}");
    let always = ["has fired after", "is in Loki after", "Any 5xx, firing: api answers 5xx: ", "is resolved after"];
    says(&said, &always);
    says(&said, &["faults are as they were before"]);
    said
}

fn says(said: &[String], parts: &[&str]) {
    for part in parts {
        assert!(said.iter().any(|line| line.contains(part)), "drill.sh did not say {part:?}");
    }
}
