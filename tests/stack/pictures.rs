//! The pictures of the documentation, made from the bundle that has just been tested.

use std::path::Path;

use crate::browser::{HEIGHT, SETTLED, start};
use crate::bundle::{Bundle, root};
use crate::clicks::log_in;
use crate::dashboards::dashboards;
use crate::http::encode;
use crate::spans::check_out;

/// What asks for pictures: a folder, such as `docs/images`.
const VARIABLE: &str = "REDPANE_TEST_PICTURES";
/// Each dashboard's uid begins so; the rest is the file's name.
const PREFIX: &str = "redpane-";

pub(crate) fn are_made_when_asked_for(bundle: &Bundle) {
    let Ok(folder) = std::env::var(VARIABLE) else {
        return println!("  not made: {VARIABLE} names no folder, such as docs/images");
    };
    let Some(mut browser) = start() else { return };
    let folder = Path::new(root()).join(folder);
    assert!(folder.is_dir(), "{VARIABLE}={} is no folder", folder.display());
    let address = format!("http://127.0.0.1:{}", bundle.grafana);
    let trace = check_out(bundle);
    // The runbooks are text, which docs/runbooks.md shows.
    for dashboard in dashboards().into_iter().filter(|dashboard| dashboard.uid != "redpane-runbooks") {
        // With an empty box the dashboard of a trace shows none.
        let trace = if dashboard.uid == "redpane-trace" { format!("&var-trace_id={trace}") } else { String::new() };
        let rest = "kiosk&_dash.hideTimePicker=true&refresh=1d&from=now-15m&to=now";
        browser.open(&format!("{address}/d/{}?{rest}{trace}", dashboard.uid));
        // All of it is drawn first: of a dashboard with tall panels too few would be in sight to know that it is.
        browser.resize(1600, HEIGHT);
        browser.until("every panel has its answer", SETTLED);
        browser.resize(1600, 1100);
        browser.until("every panel in sight is drawn again", "new Promise(done => setTimeout(() => done(true), 1000))");
        let name = dashboard.uid.strip_prefix(PREFIX).unwrap_or(&dashboard.uid);
        browser.picture(&folder.join(format!("{name}.png")));
    }
    let pane = |source: &str, query: &str| {
        format!(
            r#"{{"datasource":"{source}","queries":[{{"refId":"A","datasource":{{"type":"{source}","uid":"{source}"}},"expr":{query},"range":true,"queryType":"range","editorMode":"code"}}],"range":{{"from":"now-15m","to":"now"}}}}"#
        )
    };
    let left = pane("prometheus", r#""sum by (route) (rate(http_requests_total{app=\"api\"}[1m]))""#);
    let readable = r#"{{.status}} {{.method}} {{.path}} {{.outcome}}"#;
    let failed = format!(
        r#"{{app="api"}} | json message, status, method, path, outcome | message="request" | status >= 500 | line_format `{readable}`"#
    );
    let right = pane("loki", &serde_json::Value::from(failed).to_string());
    let panes = encode(&format!(r#"{{"left":{left},"right":{right}}}"#));
    log_in(&mut browser, &address);
    browser.open(&format!("{address}/explore?schemaVersion=1&orgId=1&panes={panes}"));
    browser.until("lines", r#"document.querySelectorAll('.log-line-body, [class*="log-line-body"]').length > 3"#);
    browser.until("a graph", "document.querySelector('.u-over')");
    browser.picture(&folder.join("explore.png"));
}
