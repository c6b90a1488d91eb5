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
    assert!(expected.len() >= 10, "{expected:?}");
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
    println!("  {} rules", expected.len());
}

/// `scripts/drill.sh`: fired, delivered, resolved, and its faults are gone.
pub(crate) fn the_drill_passes(bundle: &Bundle) {
    eventually("no alert fires or is about to", 600, || {
        let restless = |rule: &&Value| rule["state"] != "inactive";
        match rules(bundle).iter().find(restless) {
            Some(rule) if rule["name"] == "Any 5xx" => Err(rule.to_string()),
            _ => Ok(()),
        }
    });
    let mut drill = bundle.script("drill.sh").stdout(Stdio::piped()).spawn().unwrap();
    let said: Vec<String> = BufReader::new(drill.stdout.take().unwrap()).lines().map_while(Result::ok).collect();
    for line in &said {
        println!("  {line}");
    }
    let status = drill.wait().unwrap();
    assert!(status.success(), "drill.sh: {status}");
    for part in ["has fired after", "is in Loki after", "is resolved after", "faults are as they were before"] {
        assert!(said.iter().any(|line| line.contains(part)), "drill.sh did not say {part:?}");
    }
}
