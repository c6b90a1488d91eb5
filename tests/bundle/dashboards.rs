//! Dashboards: the classic form, fixed uids, panels that explain themselves and do not overlap.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::files::{Bundle, items, scalar};
use crate::findings::Findings;
use crate::links::panels;

/// uids that links, alert rules and documentation rely on.
const UIDS: [&str; 6] =
    ["redpane-service", "redpane-trace", "redpane-logs", "redpane-runtime", "redpane-stack", crate::runbooks::UID];

/// The columns of Grafana's grid.
const COLUMNS: u64 = 24;

/// Panels that show numbers need a unit.
const NUMERIC: [&str; 8] = ["timeseries", "stat", "gauge", "bargauge", "heatmap", "histogram", "piechart", "barchart"];

/// Panels that show one number need to say which numbers are good.
const JUDGED: [&str; 3] = ["stat", "gauge", "bargauge"];

pub(crate) fn check(bundle: &Bundle) -> Findings {
    let mut findings = Findings::default();
    let dashboards = bundle.dashboards(&mut findings);
    let sources = bundle.datasources(&mut findings);
    let sources: Vec<&str> = sources.iter().filter_map(|(_, _, source)| source["uid"].as_str()).collect();
    let mut uids: BTreeMap<String, &str> = BTreeMap::new();
    for (file, dashboard) in &dashboards {
        let uid = scalar(&dashboard["uid"]);
        findings.expect(UIDS.contains(&uid.as_str()), file, "uid", format!("{uid:?} is none of {}", UIDS.join(", ")));
        if let Some(other) = uids.insert(uid, file) {
            findings.add(file, "uid", format!("is that of {other} too"));
        }
        form(file, dashboard, &mut findings);
        choices(file, dashboard, &mut findings);
        grid(file, dashboard, &mut findings);
        let mut ids = BTreeMap::new();
        for (path, value) in panels(dashboard) {
            panel(file, &path, value, &mut findings);
            datasource(file, &path, value, &sources, &mut findings);
            if let Some(other) = value["id"].as_u64().and_then(|id| ids.insert(id, path.clone())) {
                findings.add(file, &format!("{path}.id"), format!("is that of {other} too"));
            }
        }
    }
    for uid in UIDS.iter().filter(|uid| !uids.contains_key(**uid)) {
        findings.add("grafana/dashboards", "", format!("no dashboard has the uid {uid}"));
    }
    findings
}

/// File provisioning refuses the v2 form, and a numeric `id` would belong to another Grafana's database.
fn form(file: &str, dashboard: &Value, findings: &mut Findings) {
    for key in ["apiVersion", "kind", "spec", "elements", "layout"] {
        findings.expect(
            dashboard.get(key).is_none(),
            file,
            key,
            "belongs to the v2 form, which is not provisioned from files",
        );
    }
    findings.expect(dashboard["schemaVersion"].is_u64(), file, "schemaVersion", "must be a number");
    findings.expect(dashboard["id"].is_null(), file, "id", "must be absent: the database gives it");
    for key in ["title", "description"] {
        findings.expect(filled(&dashboard[key]), file, key, "is missing");
    }
    for key in ["from", "to"] {
        findings.expect(filled(&dashboard["time"][key]), file, &format!("time.{key}"), "is missing");
    }
    findings.expect(
        dashboard.get("__inputs").is_none(),
        file,
        "__inputs",
        "is of an export for sharing; nobody answers it here",
    );
}

/// Every dashboard about the service can be narrowed to an app, an instance and a route, and the one of its requests to
/// whatever label an application has declared: Grafana offers those that are there.
fn choices(file: &str, dashboard: &Value, findings: &mut Findings) {
    if dashboard["uid"] == "redpane-service" {
        let is_choice = |variable: &Value| variable["type"] == "adhoc" && variable["datasource"]["uid"] == "prometheus";
        let found = items(&dashboard["templating"]["list"]).iter().any(is_choice);
        findings.expect(found, file, "templating.list", "has no drop-down of all labels");
    }
    for name in ["app", "instance", "route"] {
        let list = items(&dashboard["templating"]["list"]);
        let found = list.iter().any(|variable| variable["name"] == name);
        findings.expect(found, file, "templating.list", format!("has no drop-down {name:?}"));
    }
}

/// Panels fit into the columns and do not overlap: neither on the page nor inside of a collapsed row, whose panels stand under it
/// once somebody opens it.
fn grid(file: &str, dashboard: &Value, findings: &mut Findings) {
    laid_out(file, "panels", items(&dashboard["panels"]), findings);
    for (index, row) in items(&dashboard["panels"]).iter().enumerate() {
        let inside = items(&row["panels"]);
        let path = format!("panels[{index}].panels");
        laid_out(file, &path, inside, findings);
        let top = |panel: &Value| panel["gridPos"]["y"].as_u64().unwrap_or(0);
        let below = inside.iter().all(|panel| top(panel) > top(row));
        findings.expect(below, file, &path, "a panel of a row must stand below it");
        let open = row["collapsed"] == true || inside.is_empty();
        findings.expect(open, file, &path, "Grafana shows panels inside of a row only where it is collapsed");
    }
}

fn laid_out(file: &str, list: &str, panels: &[Value], findings: &mut Findings) {
    let mut taken: BTreeMap<(u64, u64), usize> = BTreeMap::new();
    for (index, panel) in panels.iter().enumerate() {
        let path = format!("{list}[{index}].gridPos");
        let side = |name: &str| panel["gridPos"][name].as_u64();
        let (Some(x), Some(y), Some(width), Some(height)) = (side("x"), side("y"), side("w"), side("h")) else {
            findings.add(file, &path, "must have x, y, w and h");
            continue;
        };
        findings.expect(width > 0 && height > 0 && x + width <= COLUMNS, file, &path, "does not fit 24 columns");
        let cells = (x..x + width).flat_map(|x| (y..y + height).map(move |y| (x, y)));
        let other = cells.filter_map(|cell| taken.insert(cell, index)).next();
        if let Some(other) = other {
            findings.add(file, &path, format!("lies over {list}[{other}]"));
        }
    }
}

fn panel(file: &str, path: &str, panel: &Value, findings: &mut Findings) {
    let kind = panel["type"].as_str().unwrap_or_default();
    let title = scalar(&panel["title"]);
    let mut expect = |right: bool, key: &str, fault: &str| {
        findings.expect(right, file, &format!("{path}.{key}"), format!("{fault} (panel {title:?})"));
    };
    expect(panel["id"].is_u64(), "id", "must be a number");
    expect(filled(&panel["title"]), "title", "is missing");
    if kind == "row" {
        return;
    }
    expect(!kind.is_empty(), "type", "is missing");
    expect(filled(&panel["description"]), "description", "is missing");
    let defaults = &panel["fieldConfig"]["defaults"];
    if NUMERIC.contains(&kind) || (kind == "table" && counts(panel)) {
        let unit = filled(&defaults["unit"]) || filled(&panel["options"]["yAxis"]["unit"]);
        expect(unit, "fieldConfig.defaults.unit", "is missing");
    }
    if JUDGED.contains(&kind) {
        let steps = items(&defaults["thresholds"]["steps"]);
        expect(!steps.is_empty(), "fieldConfig.defaults.thresholds.steps", "is missing");
        let rising = steps.windows(2).all(|pair| {
            let value = |step: &Value| step["value"].as_f64().unwrap_or(f64::NEG_INFINITY);
            value(&pair[0]) < value(&pair[1])
        });
        expect(rising, "fieldConfig.defaults.thresholds.steps", "must rise: Grafana takes the last one that fits");
    }
    // Grafana gives the line a part of the height and writes the number over it where the panel is low.
    let line = kind == "stat" && panel["options"]["graphMode"] != "none";
    expect(!line, "options.graphMode", "must be none: the line would run through the number at 1280 pixels");
    let asks = panel["targets"].as_array().is_some_and(|targets| !targets.is_empty());
    expect(asks || ["alertlist", "text", "dashlist", "news"].contains(&kind), "targets", "has no query");
    let mut names: Vec<&Value> = items(&panel["targets"]).iter().map(|target| &target["refId"]).collect();
    let targets = names.len();
    names.sort_by_key(|name| name.to_string());
    names.dedup();
    expect(names.len() == targets && !names.contains(&&Value::Null), "targets", "must have refIds, each once");
}

/// Whether a table shows the result of a metric query; log lines have no unit.
fn counts(panel: &Value) -> bool {
    items(&panel["targets"])
        .iter()
        .any(|target| target["expr"].as_str().is_some_and(|query| !query.trim_start().starts_with('{')))
}

/// Every data source named inside a panel is provisioned, or one of Grafana's own.
fn datasource(file: &str, path: &str, panel: &Value, sources: &[&str], findings: &mut Findings) {
    let targets = items(&panel["targets"]).iter().enumerate();
    let targets =
        targets.map(|(index, target)| (format!("{path}.targets[{index}].datasource.uid"), &target["datasource"]));
    let own = [(format!("{path}.datasource.uid"), &panel["datasource"])];
    for (path, datasource) in targets.chain(own).filter(|(_, datasource)| !datasource.is_null()) {
        let uid = datasource["uid"].as_str().unwrap_or_default();
        let known = sources.contains(&uid) || uid.starts_with("-- ");
        findings.expect(known, file, &path, format!("data source {uid:?} is not provisioned"));
        let kind = datasource["type"].as_str().unwrap_or_default();
        findings.expect(uid.starts_with("-- ") || kind == uid, file, &path, format!("{uid:?} is not of type {kind:?}"));
    }
}

fn filled(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.trim().is_empty())
}
