//! Every query of every panel, asked as Grafana's own pages ask it.

use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use crate::bundle::{Bundle, root};
use crate::http::{Request, get, send};
use crate::queries::now_seconds;
use crate::traffic::send_mix;

/// The folder of a bundle's dashboards.
const FOLDER: &str = "grafana/dashboards";
/// How long the load runs before the panels are looked at: rates need more than one scrape, recording rules 30 s.
const LOAD: Duration = Duration::from_secs(60);
/// What the queries look back on, in seconds.
const RANGE: u64 = 900;

/// Panels that list lines or alerts which a healthy service need not have, or what no service of the bundle does: an answer
/// without rows is right for them.
const MAY_BE_EMPTY: [(&str, &str); 2] =
    [("redpane-service", "Alerts delivered"), ("redpane-service", "How long streams last")];

/// A dashboard of the bundle.
pub(crate) struct Dashboard {
    pub(crate) uid: String,
    pub(crate) title: String,
    panels: Vec<Value>,
}

/// All of them, from their files.
pub(crate) fn dashboards() -> Vec<Dashboard> {
    let read = |file: std::io::Result<std::fs::DirEntry>| {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        let text = |name: &str| value[name].as_str().unwrap().to_owned();
        let top = value["panels"].as_array().unwrap().iter();
        // A collapsed row has its panels inside.
        let inside = |panel: &Value| panel["panels"].as_array().cloned().unwrap_or_default();
        let panels = top.flat_map(|panel| [vec![panel.clone()], inside(panel)].concat()).collect();
        Dashboard { uid: text("uid"), title: text("title"), panels }
    };
    let mut all: Vec<_> = std::fs::read_dir(format!("{}/{FOLDER}", root())).unwrap().map(read).collect();
    all.sort_by(|one, other| one.uid.cmp(&other.uid));
    assert!(all.len() >= 5);
    all
}

pub(crate) fn every_panel_has_data(bundle: &Bundle) {
    let seconds = LOAD.as_secs().to_string();
    let mut load = bundle.script("load.sh").env("DURATION", seconds).stdout(Stdio::null()).spawn().unwrap();
    let sent = send_mix(bundle, "panels", 200);
    // Somebody looks at a trace, at first too early, and again: one answer of a kind has no rate.
    let wait = (LOAD - Duration::from_secs(10)) / 3;
    for _ in 0..3 {
        get(bundle.tempo, &format!("/api/traces/{}", sent.answered[0].trace_id));
        sleep(wait);
    }
    let (mut panels, mut queries, mut wrong) = (0, 0, Vec::new());
    for dashboard in dashboards() {
        for panel in &dashboard.panels {
            let title = panel["title"].as_str().unwrap_or_default();
            let targets = panel["targets"].as_array().map_or(&[][..], Vec::as_slice);
            panels += usize::from(!targets.is_empty());
            // What Tempo answers, Grafana's own pages put together: the browser sees it.
            for target in targets.iter().filter(|target| target["datasource"]["uid"] != "tempo") {
                queries += 1;
                let empty = MAY_BE_EMPTY.contains(&(dashboard.uid.as_str(), title));
                let query = substitute(target["expr"].as_str().unwrap(), &sent.answered[0].trace_id);
                if let Err(why) = ask(bundle, panel, target, &query, empty) {
                    wrong.push(format!("{} / {title} / {}: {why}\n    {query}", dashboard.uid, target["refId"]));
                }
            }
        }
    }
    assert!(load.wait().unwrap().success(), "load.sh failed");
    println!("  {queries} queries of {panels} panels");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    alert_list_is_answered(bundle);
}

/// The drop-downs at "All", the text boxes empty or with a trace id.
fn substitute(query: &str, trace_id: &str) -> String {
    let all = ["$instance", "$route", "$level", "$status"];
    let query = all.iter().fold(query.replace("$app", ".+"), |query, name| query.replace(name, ".*"));
    query.replace("$search", "").replace("$trace_id", trace_id)
}

/// Asks through `/api/ds/query`; says what is wrong with the answer.
fn ask(bundle: &Bundle, panel: &Value, target: &Value, query: &str, may_be_empty: bool) -> Result<(), String> {
    let mut asked = target.clone();
    if asked["datasource"].is_null() {
        asked["datasource"] = panel["datasource"].clone();
    }
    asked["expr"] = json!(query);
    asked["intervalMs"] = json!(15_000);
    asked["maxDataPoints"] = json!(500);
    let now = now_seconds();
    let (from, to) = (format!("{}000", now - RANGE), format!("{now}000"));
    let body = json!({"queries": [asked], "from": from, "to": to}).to_string();
    let answer = bundle.grafana("POST", "/api/ds/query", &body);
    if answer.status != 200 {
        return Err(format!("{} {}", answer.status, answer.body));
    }
    let answer = answer.json();
    let result = &answer["results"][target["refId"].as_str().unwrap()];
    if !result["error"].is_null() {
        return Err(format!("error {}", result["error"]));
    }
    let frames = result["frames"].as_array().ok_or_else(|| format!("no frames in {answer}"))?;
    let columns = |frame: &Value| frame["data"]["values"].as_array().cloned().unwrap_or_default();
    let rows = |column: &Value| column.as_array().map_or(0, Vec::len);
    let filled = |column: &Value| column.as_array().is_some_and(|values| values.iter().any(|value| !value.is_null()));
    if frames.iter().all(|frame| columns(frame).first().is_none_or(|column| rows(column) == 0)) {
        return if may_be_empty { Ok(()) } else { Err("no data".into()) };
    }
    // NaN is null in JSON, so a series of nothing else has a column without a value. `entities` names it where NaN is meant.
    let not_a_number = |frame: &Value| frame["data"]["entities"].to_string().contains("NaN");
    match frames.iter().find(|frame| !columns(frame).iter().all(filled) || not_a_number(frame)) {
        Some(frame) => Err(format!("NaN or a column without a value: {}", frame["schema"]["fields"])),
        None => Ok(()),
    }
}

/// The panel without a query: a list of alerts, which the viewer may read.
fn alert_list_is_answered(bundle: &Bundle) {
    let request = Request { method: "GET", path: "/api/prometheus/grafana/api/v1/rules", headers: &[], body: "" };
    let answer = send(bundle.grafana, &request).unwrap().json();
    assert!(!answer["data"]["groups"].as_array().unwrap().is_empty());
}
