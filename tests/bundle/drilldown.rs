//! From a number to the lines behind it: what a link must carry to open the lines meant, and panels that show what was.

use std::collections::BTreeSet;

use promql_parser::parser::{self, Expr};
use serde_json::Value;

use crate::files::{Bundle, items, scalar, texts};
use crate::findings::Findings;
use crate::links::{explore_panes, panels};
use crate::variables::Variables;

/// Labels that an unrestricted `| json` finds in each line beside those which the line has in Loki already.
const DOUBLED: [&str; 4] = ["app_extracted", "level_extracted", "trace_id_extracted", "span_id_extracted"];
/// What fits into one line of Explore's editor on a laptop.
const LONGEST_QUERY: usize = 140;
/// At 1280 pixels a narrower tile cuts its title.
const NARROWEST_TILE: u64 = 6;

pub(crate) fn check(bundle: &Bundle) -> Findings {
    let mut findings = Findings::default();
    for (file, dashboard) in bundle.dashboards(&mut findings) {
        let variables = Variables::of(&dashboard);
        texts(&dashboard, "", &mut |path, text| {
            if path.ends_with(".url") {
                link(&file, path, text, &variables, &mut findings);
            }
        });
        for (path, value) in panels(&dashboard) {
            panel(&file, &path, value, &mut findings);
        }
        if dashboard["uid"] == "redpane-service" {
            failures_come_first(&file, &dashboard, &mut findings);
        }
    }
    for (file, path, source) in bundle.datasources(&mut findings) {
        for (index, field) in items(&source["jsonData"]["derivedFields"]).iter().enumerate() {
            let path = format!("{path}.jsonData.derivedFields[{index}]");
            let to_loki = field["datasourceUid"] == "loki";
            findings.expect(
                !to_loki,
                &file,
                &path,
                "Grafana opens `query`, Loki reads `expr`: link by a URL to /explore?",
            );
        }
        texts(&source["jsonData"], &format!("{path}.jsonData"), &mut |path, text| {
            if path.ends_with(".url") {
                link(&file, path, &text.replace("$$", "$"), &Variables::default(), &mut findings);
            }
        });
    }
    findings
}

/// A link to lines says of which time, or it opens those of the last minutes only; a query in it is one to go on with.
fn link(file: &str, path: &str, url: &str, variables: &Variables, findings: &mut Findings) {
    if ["/d/redpane-trace?", "/d/redpane-logs?"].iter().any(|dashboard| url.starts_with(dashboard)) {
        let timed = url.contains("${__url_time_range}") || (url.contains("&time=") && url.contains("&time.window="));
        findings.expect(timed, file, path, format!("{url} carries no time range"));
    }
    let Some(Ok(panes)) = explore_panes(url, variables) else { return };
    for query in panes.queries.iter().filter(|query| query.datasource == "loki") {
        let text = &query.text;
        let idle = [r#"=~".*""#, r#"=~".+",app"#].iter().any(|part| text.contains(part));
        let short = text.len() <= LONGEST_QUERY && !idle;
        findings.expect(short, file, path, format!("is no short query, without matchers that match all: {text}"));
        findings.expect(!doubles_labels(text), file, path, format!("shows {} beside a line: {text}", DOUBLED[0]));
    }
}

/// Whether the lines of a query carry labels twice.
fn doubles_labels(query: &str) -> bool {
    let mut parts = query.split('|').map(str::trim);
    let unrestricted = parts.clone().any(|part| part == "json");
    let dropped: Vec<&str> = parts.by_ref().filter_map(|part| part.strip_prefix("drop ")).collect();
    unrestricted && !DOUBLED.iter().all(|label| dropped.iter().any(|part| part.contains(label)))
}

fn panel(file: &str, path: &str, panel: &Value, findings: &mut Findings) {
    let title = scalar(&panel["title"]);
    let queries: Vec<&str> = items(&panel["targets"]).iter().filter_map(|target| target["expr"].as_str()).collect();
    let mut expect = |right: bool, key: &str, fault: &str| {
        findings.expect(right, file, &format!("{path}.{key}"), format!("{fault} (panel {title:?})"));
    };
    let defaults = &panel["fieldConfig"]["defaults"];
    let asked: BTreeSet<&str> = queries.iter().flat_map(|query| levels(query)).collect();
    for link in items(&panel["links"]).iter().chain(items(&defaults["links"])) {
        let url = scalar(&link["url"]);
        let chosen = url.split("var-level=").skip(1).map(|rest| rest.split('&').next().unwrap_or_default());
        let chosen: BTreeSet<&str> = chosen.filter(|level| !level.contains('$')).collect();
        let same = chosen.is_empty() || asked.is_empty() || chosen == asked;
        expect(same, "links", &format!("counts lines of {asked:?} and leads to those of {chosen:?}"));
    }
    match panel["type"].as_str().unwrap_or_default() {
        "stat" => {
            let width = panel["gridPos"]["w"].as_u64().unwrap_or_default();
            expect(width >= NARROWEST_TILE, "gridPos.w", "a tile of less than 6 columns cuts its title");
        }
        "heatmap" => {
            // Grafana subtracts neighbouring buckets by their place: each must have the same points.
            let sum = |query: &&str| {
                let text = query.replace("$__rate_interval", "1m").replace("$__interval", "1m");
                matches!(parser::parse(&text), Ok(Expr::Aggregate(_)))
            };
            expect(
                queries.iter().all(sum),
                "targets",
                "a fallback makes one bucket longer than the others, and Grafana invents requests",
            );
        }
        "timeseries" => {
            if defaults["unit"] == "s" && queries.iter().all(|query| query.contains("histogram_quantile(")) {
                let logarithmic = defaults["custom"]["scaleDistribution"]["type"] == "log";
                expect(logarithmic, "fieldConfig.defaults.custom.scaleDistribution", "latency needs a log scale");
                let zero = queries.iter().any(|query| query.contains("vector(0)"));
                expect(!zero, "targets", "a log scale has no place for zero");
            }
            let urls: Vec<String> = items(&defaults["links"]).iter().map(|link| scalar(&link["url"])).collect();
            let to_point = urls.iter().any(|url| url.contains("time=${__value.time}"));
            expect(to_point, "fieldConfig.defaults.links", "a click on a point must open the lines of its time");
            if queries.iter().any(|query| fails_by_route(query)) {
                let named = |url: &String| {
                    ["var-route=${__field.labels.route}", "var-app=${__field.labels.app}", "var-status=5.."]
                        .iter()
                        .all(|part| url.contains(part))
                };
                expect(
                    urls.iter().any(named),
                    "fieldConfig.defaults.links",
                    "a click on a failure must open the failed requests of its app and route",
                );
            }
        }
        "logs" => {
            let doubled = queries.iter().any(|query| doubles_labels(query));
            expect(!doubled, "targets", "lines show app_extracted and its like");
            let readable = queries.iter().all(|query| query.contains("| line_format "));
            expect(readable, "targets", "a line must be readable: line_format");
        }
        _ => {}
    }
}

/// The levels that a query names.
fn levels(query: &str) -> Vec<&str> {
    let values = [r#"level=""#, r#"level=~""#].into_iter().flat_map(|start| query.split(start).skip(1));
    let values = values.filter_map(|rest| rest.split('"').next()).filter(|value| !value.contains('$'));
    values.flat_map(|value| value.split('|')).collect()
}

/// Whether a query counts answers of 5xx by route.
fn fails_by_route(query: &str) -> bool {
    query.contains(r#"status=~"5..""#) && query.contains("sum by (") && query.contains("route)")
}

/// Right under the golden signals stands what failed, and requests that only asked for what is not there are not in it.
fn failures_come_first(file: &str, dashboard: &Value, findings: &mut Findings) {
    let top = |panel: &&Value| panel["gridPos"]["y"].as_u64().unwrap_or(u64::MAX);
    let rows: Vec<&Value> = items(&dashboard["panels"]).iter().filter(|panel| panel["type"] == "row").collect();
    let golden = rows.iter().find(|row| row["title"] == "Golden signals").map_or(u64::MAX, &top);
    let next = rows.iter().filter(|row| top(row) > golden).min_by_key(|row| top(row));
    let from = next.map_or(u64::MAX, &top);
    let first = items(&dashboard["panels"]).iter().filter(|panel| top(panel) > from).min_by_key(top);
    let queries = first.map(|panel| items(&panel["targets"])).unwrap_or_default();
    let failures = !queries.is_empty()
        && first.is_some_and(|panel| panel["type"] == "table")
        && queries.iter().all(|target| target["expr"].as_str().is_some_and(|query| query.contains(r#"level="ERROR""#)));
    findings.expect(failures, file, "panels", "right under the golden signals must stand the table of failed requests");
}

#[test]
fn labels_are_doubled_by_a_json_stage_without_names_only() {
    assert!(doubles_labels(r#"{app="api"} | json | status >= 500"#));
    assert!(!doubles_labels(r#"{app="api"} | json status, route | status >= 500"#));
    let dropped = DOUBLED.join(", ");
    assert!(!doubles_labels(&format!(r#"{{app="api"}} | json | drop {dropped} | status >= 500"#)));
}
