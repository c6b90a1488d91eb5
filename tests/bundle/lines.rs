//! A click on a series of the dashboard *Stack* opens lines of its app only where somebody collects them: *Logs* offers no other
//! app, and would show the lines of all.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::files::{Bundle, items, scalar};
use crate::findings::Findings;
use crate::links::panels;
use crate::parts;

const STACK: &str = "grafana/dashboards/stack.json";
/// What makes a link one to the lines of the series' app.
const OF_APP: &str = "var-app=${__field.labels.app}";

/// Such a link stands in an override, for series of a query that leaves the silent parts out, or for series that it names.
pub(crate) fn check(bundle: &Bundle) -> Findings {
    let mut findings = Findings::default();
    let silent = parts::silent(bundle, &mut findings);
    let dashboard = bundle.value(STACK, &mut findings).unwrap_or_default();
    let mut seen = 0;
    for (path, panel) in panels(&dashboard) {
        let field = &panel["fieldConfig"];
        let fault =
            format!("leads to lines of every app of {}, and nobody collects those of {silent:?}", panel["title"]);
        findings.expect(
            !of_app(&field["defaults"]["links"]),
            STACK,
            &format!("{path}.fieldConfig.defaults.links"),
            fault,
        );
        for (index, chosen) in items(&field["overrides"]).iter().enumerate() {
            if items(&chosen["properties"]).iter().any(|one| one["id"] == "links" && of_app(&one["value"])) {
                seen += 1;
                let right = leaves_out(panel, &chosen["matcher"], &silent);
                let fault = format!("must be for series of services alone, not of {silent:?}");
                findings.expect(right, STACK, &format!("{path}.fieldConfig.overrides[{index}]"), fault);
            }
        }
    }
    findings.expect(seen > 0, STACK, "panels", "have no link to the lines of an app");
    findings
}

fn of_app(links: &Value) -> bool {
    items(links).iter().any(|link| scalar(&link["url"]).contains(OF_APP))
}

fn leaves_out(panel: &Value, matcher: &Value, silent: &BTreeSet<String>) -> bool {
    let option = matcher["options"].as_str().unwrap_or_default();
    if matcher["id"] == "byFrameRefID" {
        let all = silent.iter().map(String::as_str).collect::<Vec<_>>().join("|");
        let target = items(&panel["targets"]).iter().find(|target| target["refId"] == option);
        let query = target.and_then(|target| target["expr"].as_str()).unwrap_or_default();
        return query.contains(&format!(r#"app!~"{all}""#));
    }
    let names = option.strip_prefix("/^(").and_then(|rest| rest.strip_suffix(")$/")).unwrap_or_default();
    matcher["id"] == "byRegexp" && !names.is_empty() && names.split('|').all(|name| !silent.contains(name))
}
