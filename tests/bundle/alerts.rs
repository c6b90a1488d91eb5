//! Alert rules: whoever is woken finds severity, value, panel, log lines and runbook. What an alert says and who it is, its
//! labels: `alert_texts`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::files::{Bundle, items, scalar};
use crate::findings::Findings;
use crate::links::panels;
use crate::queries::rules;
use crate::runbooks::{self, Section};

pub(crate) fn check(bundle: &Bundle) -> Findings {
    let mut findings = Findings::default();
    let dashboards = bundle.dashboards(&mut findings);
    let dashboards: BTreeMap<&str, &Value> =
        dashboards.iter().filter_map(|(_, dashboard)| Some((dashboard["uid"].as_str()?, dashboard))).collect();
    let sources = bundle.datasources(&mut findings);
    let sources: BTreeSet<&str> =
        sources.iter().filter_map(|(_, _, source)| source["uid"].as_str()).chain(["__expr__"]).collect();
    let folders = bundle.values("grafana/provisioning/dashboards", &[".yaml", ".yml"], &mut findings);
    let folders: Vec<&Value> =
        folders.iter().flat_map(|(_, value)| items(&value["providers"])).map(|provider| &provider["folder"]).collect();
    let sections = runbooks::sections(&bundle.text(runbooks::SOURCE, &mut findings).unwrap_or_default());

    let (mut seen, mut explained) = (BTreeMap::new(), BTreeSet::new());
    for (file, value) in bundle.alerting(&mut findings) {
        for (index, group) in items(&value["groups"]).iter().enumerate() {
            let known = folders.contains(&&group["folder"]);
            findings.expect(known, &file, &format!("groups[{index}].folder"), "is not the folder of the dashboards");
            findings.expect(group["interval"].is_string(), &file, &format!("groups[{index}].interval"), "is missing");
        }
        for (path, rule) in rules(&value) {
            let mut context = Rule { file: &file, path: &path, rule, findings: &mut findings };
            context.fields();
            context.data(&sources);
            context.panel(&dashboards);
            context.runbook(&sections);
            explained.insert(rule["uid"].as_str().unwrap_or_default().to_owned());
            for key in ["uid", "title"] {
                if let Some(other) = seen.insert((key, scalar(&rule[key])), path.clone()) {
                    findings.add(&file, &format!("{path}.{key}"), format!("is that of {other} too"));
                }
            }
        }
    }
    findings.expect(!seen.is_empty(), "grafana/provisioning/alerting", "", "has no alert rule");
    for section in sections.iter().skip(1).filter(|section| !explained.contains(&section.title)) {
        findings.add(runbooks::SOURCE, &section.title, "explains no alert rule");
    }
    findings
}

struct Rule<'a> {
    file: &'a str,
    path: &'a str,
    rule: &'a Value,
    findings: &'a mut Findings,
}

impl Rule<'_> {
    fn expect(&mut self, right: bool, key: &str, fault: &str) {
        self.findings.expect(right, self.file, &format!("{}.{key}", self.path), fault);
    }

    fn fields(&mut self) {
        let rule = self.rule;
        let one_of = |key: &str, allowed: &[&str]| rule[key].as_str().is_some_and(|value| allowed.contains(&value));
        let uid = rule["uid"].as_str().unwrap_or_default();
        self.expect(!uid.is_empty() && uid.len() <= 40, "uid", "must have 1 to 40 characters");
        self.expect(rule["title"].is_string(), "title", "is missing");
        self.expect(rule["for"].is_string(), "for", "is missing");
        self.expect(one_of("noDataState", &["OK", "NoData", "Alerting", "KeepLast"]), "noDataState", "must be chosen");
        self.expect(one_of("execErrState", &["OK", "Error", "Alerting", "KeepLast"]), "execErrState", "must be chosen");
        let severity = rule["labels"]["severity"].as_str();
        self.expect(matches!(severity, Some("page" | "ticket")), "labels.severity", "must be page or ticket");
        for key in ["summary", "description", "value", "dashboard_url", "runbook_url", "logs_url"] {
            let text = rule["annotations"][key].as_str().unwrap_or_default();
            self.expect(!text.trim().is_empty(), &format!("annotations.{key}"), "is missing");
            let closed = text.matches("{{").count() == text.matches("}}").count();
            self.expect(closed, &format!("annotations.{key}"), "has a template that is not closed");
        }
        self.expect(rule["isPaused"] != true, "isPaused", "must not be true");
    }

    /// The condition exists, data sources are provisioned, and expressions read what exists.
    fn data(&mut self, sources: &BTreeSet<&str>) {
        let data = items(&self.rule["data"]);
        let names: Vec<&str> = data.iter().filter_map(|data| data["refId"].as_str()).collect();
        let condition = self.rule["condition"].as_str().unwrap_or_default();
        self.expect(names.contains(&condition), "condition", "names no refId of data");
        for (index, data) in data.iter().enumerate() {
            let source = data["datasourceUid"].as_str().unwrap_or_default();
            self.expect(sources.contains(source), &format!("data[{index}].datasourceUid"), "is not provisioned");
            self.expect(
                data["refId"] == data["model"]["refId"],
                &format!("data[{index}].model.refId"),
                "differs from refId",
            );
            if source == "__expr__" {
                let reads = data["model"]["expression"].as_str().unwrap_or_default();
                let path = format!("data[{index}].model.expression");
                self.expect(data["model"]["type"] == "math" || names.contains(&reads), &path, "names no refId of data");
            } else {
                let from = data["relativeTimeRange"]["from"].as_u64();
                self.expect(
                    from.is_some_and(|from| from > 0),
                    &format!("data[{index}].relativeTimeRange.from"),
                    "must be above 0",
                );
            }
        }
        // A template that reads a value which no refId has is sent as it stands.
        for key in ["summary", "value"] {
            let text = self.rule["annotations"][key].as_str().unwrap_or_default();
            for name in text.split("$values.").skip(1) {
                let name = name.split(['.', ' ', '}']).next().unwrap_or_default();
                self.expect(names.contains(&name), &format!("annotations.{key}"), "reads a value that no refId has");
            }
        }
    }

    /// Both ways Grafana knows to name the panel say the same, and the panel exists.
    fn panel(&mut self, dashboards: &BTreeMap<&str, &Value>) {
        let rule = self.rule;
        let annotations = &rule["annotations"];
        let uid = rule["dashboardUid"].as_str().or(annotations["__dashboardUid__"].as_str()).unwrap_or_default();
        let named = [&rule["panelId"], &annotations["__panelId__"]].into_iter().find(|panel| !panel.is_null());
        let panel = named.map(scalar).unwrap_or_default();
        for (key, other, same) in
            [("dashboardUid", "__dashboardUid__", uid), ("panelId", "__panelId__", panel.as_str())]
        {
            let agree = rule[key].is_null() || annotations[other].is_null() || scalar(&annotations[other]) == same;
            self.expect(agree, &format!("annotations.{other}"), "differs from the rule's own");
        }
        let Some(dashboard) = dashboards.get(uid) else {
            return self.expect(false, "dashboardUid", &format!("there is no dashboard {uid:?}"));
        };
        let exists = panels(dashboard).iter().any(|(_, value)| scalar(&value["id"]) == panel && value["type"] != "row");
        self.expect(exists, "panelId", &format!("dashboard {uid} has no panel {panel:?}"));
    }

    /// Links to the dashboard and to the rule's panel of the runbooks, with the service and a range that messages replace.
    fn runbook(&mut self, sections: &[Section]) {
        let annotations = &self.rule["annotations"];
        let uid = self.rule["uid"].as_str().unwrap_or_default();
        // Texts know the labels of the query, not those of the rule.
        let app = self.rule["labels"]["app"].as_str().unwrap_or("{{ $labels.app }}");
        let rest = format!("var-app={app}&from=now-1h&to=now");
        let dashboard =
            format!("{{{{ externalURL }}}}d/{}?{rest}", self.rule["dashboardUid"].as_str().unwrap_or_default());
        let right = annotations["dashboard_url"] == dashboard;
        self.expect(right, "annotations.dashboard_url", &format!("must be {dashboard}"));
        match runbooks::panel_of(sections, uid) {
            Some(panel) => {
                let runbook = format!("{{{{ externalURL }}}}d/{}?viewPanel={panel}&{rest}", runbooks::UID);
                let right = annotations["runbook_url"] == runbook;
                self.expect(right, "annotations.runbook_url", &format!("must be {runbook}"));
            }
            None => {
                self.expect(false, "annotations.runbook_url", &format!("docs/runbooks.md has no section ## {uid}"));
            }
        }
        let logs = annotations["logs_url"].as_str().unwrap_or_default();
        let range = logs.contains("%22from%22%3A%22now-1h%22%2C%22to%22%3A%22now%22") || logs == dashboard;
        self.expect(range, "annotations.logs_url", "must have the range now-1h to now, which messages replace");
    }
}
