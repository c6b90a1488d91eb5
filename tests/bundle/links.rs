//! Links: to dashboards that exist, with variables they have, and to Explore with panes that can be read.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::files::{Bundle, entries, items, texts};
use crate::findings::Findings;
use crate::queries::rules;
use crate::variables::Variables;

/// What a link to Explore opens.
#[derive(Debug)]
pub(crate) struct Panes {
    pub(crate) queries: Vec<PaneQuery>,
}

#[derive(Debug)]
pub(crate) struct PaneQuery {
    pub(crate) datasource: String,
    pub(crate) text: String,
}

/// Every panel, those inside rows included, with its path.
pub(crate) fn panels(dashboard: &Value) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    for (index, panel) in items(&dashboard["panels"]).iter().enumerate() {
        found.push((format!("panels[{index}]"), panel));
        for (inner, panel) in items(&panel["panels"]).iter().enumerate() {
            found.push((format!("panels[{index}].panels[{inner}]"), panel));
        }
    }
    found
}

/// Follows every link of dashboards, alert rules and data sources as far as files can tell.
pub(crate) fn check(bundle: &Bundle) -> Findings {
    let mut findings = Findings::default();
    let dashboards = bundle.dashboards(&mut findings);
    let by_uid: BTreeMap<&str, Variables> = dashboards
        .iter()
        .map(|(_, dashboard)| (dashboard["uid"].as_str().unwrap_or_default(), Variables::of(dashboard)))
        .collect();
    let datasources = bundle.datasources(&mut findings);
    let uids: Vec<&str> = datasources.iter().filter_map(|(_, _, datasource)| datasource["uid"].as_str()).collect();
    let targets = Targets { dashboards: &by_uid, datasources: &uids };

    for (file, dashboard) in &dashboards {
        let variables = Variables::of(dashboard);
        texts(dashboard, "", &mut |path, text| {
            if path.ends_with(".url") {
                targets.follow(file, path, text, &variables, &mut findings);
            }
        });
        // Alerts lead to the runbooks, each to its section.
        for uid in by_uid.keys().filter(|uid| dashboard["uid"] != **uid && **uid != crate::runbooks::UID) {
            let linked = items(&dashboard["links"]).iter().any(|link| link["url"] == format!("/d/{uid}"));
            findings.expect(linked, file, "links", format!("has no link to its neighbour /d/{uid}"));
        }
    }
    for (file, value) in bundle.alerting(&mut findings) {
        for (path, rule) in rules(&value) {
            let path = format!("{path}.annotations.logs_url");
            match rule["annotations"]["logs_url"].as_str() {
                Some(url) => {
                    for url in branches(url) {
                        let own = url.strip_prefix("{{ externalURL }}");
                        let right = own.is_some_and(|rest| rest.starts_with("explore?") || rest.starts_with("d/"));
                        let fault = "must start with {{ externalURL }}, which ends in /, and explore? or d/";
                        findings.expect(right, &file, &path, fault);
                        let url = format!("/{}", own.unwrap_or_default());
                        targets.follow(&file, &path, &url, &Variables::default(), &mut findings);
                    }
                }
                None => findings.add(&file, &path, "is missing: a link to the log lines behind the alert"),
            }
        }
    }
    for (file, path, datasource) in &datasources {
        texts(&datasource["jsonData"], &format!("{path}.jsonData"), &mut |path, text| {
            if path.ends_with(".url") && text.starts_with('/') {
                targets.follow(file, path, &text.replace("$$", "$"), &Variables::default(), &mut findings);
            }
        });
    }
    findings
}

struct Targets<'a> {
    dashboards: &'a BTreeMap<&'a str, Variables>,
    datasources: &'a [&'a str],
}

impl Targets<'_> {
    fn follow(&self, file: &str, path: &str, url: &str, variables: &Variables, findings: &mut Findings) {
        if let Err(name) = variables.substitute(&without_templates(url)) {
            findings.add(file, path, format!("uses the variable ${name}, which does not exist"));
        }
        if let Some(rest) = url.strip_prefix("/d/") {
            self.dashboard(file, path, rest, findings);
        } else if let Some(panes) = explore_panes(url, variables) {
            match panes {
                Ok(panes) => panes.queries.iter().for_each(|query| {
                    let known = self.datasources.contains(&query.datasource.as_str());
                    findings.expect(
                        known,
                        file,
                        path,
                        format!("data source {:?} is not provisioned", query.datasource),
                    );
                }),
                Err(fault) => findings.add(file, path, fault),
            }
        } else {
            // What an alert itself says: its `logs_url` and its like are checked where the rules are.
            let own = url.starts_with("${__data.fields.") && url.ends_with("_url:raw}");
            let elsewhere = own || url == "/alerting/list" || url.starts_with("https://") || url.starts_with("http://");
            findings.expect(
                elsewhere,
                file,
                path,
                format!("{url:?} leads neither to /d/, to /explore? nor to the web"),
            );
        }
    }

    fn dashboard(&self, file: &str, path: &str, rest: &str, findings: &mut Findings) {
        let (uid, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        let uid = uid.split('/').next().unwrap_or_default();
        let Some(variables) = self.dashboards.get(uid) else {
            return findings.add(file, path, format!("there is no dashboard with the uid {uid:?}"));
        };
        for name in parameters.split('&').filter_map(|parameter| parameter.strip_prefix("var-")) {
            let name = name.split('=').next().unwrap_or_default();
            findings.expect(variables.contains(name), file, path, format!("dashboard {uid} has no variable {name:?}"));
        }
    }
}

/// The panes of a link to Explore, or what is wrong with them; `None` for any other text.
pub(crate) fn explore_panes(url: &str, variables: &Variables) -> Option<Result<Panes, String>> {
    let (before, parameters) = url.split_once("explore?")?;
    let is_link = before == "/" || before.ends_with("}}") || before.starts_with("http");
    // The end of a choice between two links.
    is_link.then(|| read_panes(parameters.trim_end_matches("{{ end }}"), variables))
}

fn read_panes(parameters: &str, variables: &Variables) -> Result<Panes, String> {
    let parameters =
        variables.substitute(&without_templates(parameters)).map_err(|name| format!("no variable ${name}"))?;
    let parameter = |name: &str| parameters.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    if parameter("schemaVersion") != Some("1") || parameter("orgId").is_none() {
        return Err("a link to Explore needs schemaVersion=1 and orgId".to_owned());
    }
    let encoded = parameter("panes").ok_or("a link to Explore needs panes")?;
    let panes = percent_decode(encoded).ok_or("panes are not percent-encoded UTF-8")?;
    let panes: Value = serde_json::from_str(&panes).map_err(|error| format!("panes are no JSON: {error}: {panes}"))?;
    let mut queries = Vec::new();
    for (name, pane) in entries(&panes) {
        for bound in ["from", "to"] {
            if pane["range"][bound].as_str().is_none_or(str::is_empty) {
                return Err(format!("pane {name} has no range.{bound}"));
            }
        }
        let datasource = pane["datasource"].as_str().ok_or_else(|| format!("pane {name} has no data source"))?;
        for query in items(&pane["queries"]) {
            let own = query["datasource"]["uid"].as_str().unwrap_or(datasource);
            if own != datasource {
                return Err(format!("pane {name} is of {datasource:?}, its query of {own:?}"));
            }
            let key = if own == "tempo" { "query" } else { "expr" };
            let text = query[key].as_str().ok_or_else(|| format!("pane {name} has a query without {key}"))?;
            queries.push(PaneQuery { datasource: datasource.to_owned(), text: text.to_owned() });
        }
    }
    if queries.is_empty() { Err("panes have no query".to_owned()) } else { Ok(Panes { queries }) }
}

/// Both links of `{{ if … }}one{{ else }}the other{{ end }}`, or the only one.
fn branches(url: &str) -> Vec<&str> {
    let inner = url.strip_prefix("{{ if ").and_then(|rest| rest.split_once("}}")).map(|(_, rest)| rest);
    let Some(inner) = inner.and_then(|rest| rest.strip_suffix("{{ end }}")) else { return vec![url] };
    inner.split("{{ else }}").collect()
}

/// `text` with each template action of Grafana alerting (`{{ $labels.app }}`) replaced by a word.
fn without_templates(text: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, action)) = rest.split_once("{{") {
        result.push_str(before);
        result.push_str("one");
        rest = action.split_once("}}").map_or("", |(_, after)| after);
    }
    result + rest
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            b'+' => b' ',
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}
