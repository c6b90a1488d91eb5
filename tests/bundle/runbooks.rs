//! The dashboard *Runbooks*: made from docs/runbooks.md, one text panel a section, so that whoever is woken finds them in
//! the Grafana that woke them, without the internet.

use serde_json::{Value, json};

use crate::docs::anchor;
use crate::files::Bundle;
use crate::findings::Findings;

pub(crate) const SOURCE: &str = "docs/runbooks.md";
pub(crate) const DASHBOARD: &str = "grafana/dashboards/runbooks.json";
pub(crate) const UID: &str = "redpane-runbooks";

/// Set, it makes the test write the dashboard.
const WRITE: &str = "REDPANE_WRITE_RUNBOOKS";

/// A section of the page; the text before the first one is the first, under the page's title.
pub(crate) struct Section {
    pub(crate) title: String,
    text: String,
}

/// The sections; panels have their numbers, from 1 on.
pub(crate) fn sections(text: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    let mut in_code = false;
    for line in text.lines() {
        in_code ^= line.starts_with("```");
        let heading = line.strip_prefix("## ").or_else(|| line.strip_prefix("# ")).filter(|_| !in_code);
        match (heading, sections.last_mut()) {
            (Some(title), _) => sections.push(Section { title: title.trim().to_owned(), text: String::new() }),
            (None, Some(section)) => section.text.push_str(&format!("{line}\n")),
            (None, None) => {}
        }
    }
    sections
}

/// The panel that shows a section.
pub(crate) fn panel_of(sections: &[Section], title: &str) -> Option<usize> {
    sections.iter().position(|section| section.title == title).map(|index| index + 1)
}

/// Writes the dashboard if `REDPANE_WRITE_RUNBOOKS` is set.
pub(crate) fn write_if_asked(bundle: &Bundle) {
    if std::env::var_os(WRITE).is_some() {
        let text = bundle.text(SOURCE, &mut Findings::default()).unwrap_or_default();
        std::fs::write(bundle.root().join(DASHBOARD), dashboard(&text)).expect("the dashboard can be written");
    }
}

/// The file is what the page gives.
pub(crate) fn check(bundle: &Bundle) -> Findings {
    let mut findings = Findings::default();
    let expected = dashboard(&bundle.text(SOURCE, &mut findings).unwrap_or_default());
    let found = bundle.text(DASHBOARD, &mut findings).unwrap_or_default();
    let fault = format!(
        "is not what {SOURCE} gives: run {WRITE}=1 cargo test --locked --test bundle runbooks, and commit the file"
    );
    findings.expect(found == expected, DASHBOARD, "", fault);
    for (number, line) in bundle.text(SOURCE, &mut findings).unwrap_or_default().lines().enumerate() {
        let port = line.split("localhost:").nth(1).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let fault = "has a port, which .env may change, and then it is another bundle's: ask `docker compose port`";
        findings.expect(!port, SOURCE, &format!("line {}", number + 1), fault);
    }
    findings
}

fn dashboard(text: &str) -> String {
    let sections = sections(text);
    let mut panels = Vec::new();
    let mut y = 0;
    for (index, section) in sections.iter().enumerate() {
        // A line is 22 pixels high, a row of the grid 38. Long lines wrap on a laptop.
        let lines: usize = section.text.lines().map(|line| 1 + line.len() / 150).sum();
        let height = lines * 22 / 38 + 4;
        panels.push(json!({
            "id": index + 1, "type": "text", "title": section.title,
            "description": format!("The section {:?} of {SOURCE}.", section.title),
            "gridPos": {"x": 0, "y": y, "w": 24, "h": height},
            "options": {"mode": "markdown", "content": crate::runbook_text::panel(&section.text, &sections)},
            "transparent": index == 0
        }));
        y += height;
    }
    let dashboard = json!({
        "uid": UID, "title": "Runbooks", "tags": ["redpane"], "schemaVersion": 42, "version": 1, "editable": true,
        "description": "What to check and what to do, one section for each alert. Made from docs/runbooks.md.",
        "time": {"from": "now-1h", "to": "now"}, "timezone": "browser", "graphTooltip": 1,
        "annotations": {"list": []},
        "links": links(),
        "templating": {"list": variables()},
        "panels": panels
    });
    serde_json::to_string_pretty(&dashboard).expect("a value can be written") + "\n"
}

fn links() -> Vec<Value> {
    ["Service", "Trace", "Logs", "Runtime", "Stack"]
        .map(|title| {
            json!({
                "type": "link", "title": title, "url": format!("/d/redpane-{}", anchor(title)), "icon": "dashboard",
                "includeVars": true, "keepTime": true, "targetBlank": false, "asDropdown": false, "tags": [], "tooltip": ""
            })
        })
        .to_vec()
}

/// The service of the queries is that of the alert; the others come along to and from the neighbours.
fn variables() -> Vec<Value> {
    let of = |name: &str, query: &str, all: bool| {
        json!({
            "type": "query", "name": name, "label": name, "datasource": {"type": "prometheus", "uid": "prometheus"},
            "query": {"query": query, "refId": name}, "refresh": 2, "sort": 1, "includeAll": all, "multi": all,
            "allValue": if all { ".*" } else { "" }, "hide": if all { 2 } else { 0 },
            "current": if all { json!({"text": ["All"], "value": ["$__all"]}) } else { json!({"text": "api", "value": "api"}) }
        })
    };
    vec![
        of("app", "label_values(up, app)", false),
        of("instance", r#"label_values(up{app="$app"}, instance)"#, true),
        of("route", r#"label_values(http_requests_total{app="$app"}, route)"#, true),
    ]
}
