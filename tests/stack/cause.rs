//! The drill of the last service as somebody who was woken sees it: from the alert of `api` two clicks lead to the line of `payment`
//! that says why, beside the waterfall.

use serde_json::Value;

use crate::browser::start;
use crate::bundle::{Bundle, eventually};
use crate::clicks::{LINES, SPANS, log_in, texts};
use crate::http::{Request, send};

const WHY: &str = "injected by /faults (error_ratio 1)";

pub(crate) fn two_clicks_lead_from_an_alert_to_the_line_that_says_why(bundle: &Bundle) {
    let Some(mut browser) = start() else { return };
    browser.resize(1600, 1000);
    faults(bundle, r#"{"error_ratio":1,"delay_ms":0,"panic_ratio":0}"#);
    let alert = eventually("an alert of api about the failures behind it", 420, || {
        let request = Request { method: "GET", path: "/checkout", headers: &[], body: "" };
        assert_eq!(send(bundle.api, &request).unwrap().status, 502);
        let delivered =
            r#"{app="alerts"} | json | message="alert" | name="Any 5xx" | state="firing" | labels=~".*app=.api\\W.*""#;
        // Of the incidents before this one the newest is over.
        let latest = bundle.lines(delivered).into_iter().map(|line| line.text).max();
        latest.filter(|_| firing(bundle)).ok_or_else(|| "no alert fires".to_owned())
    });
    faults(bundle, r#"{"error_ratio":0,"delay_ms":0,"panic_ratio":0}"#);
    let alert: Value = serde_json::from_str(&alert).unwrap();

    let root = format!("http://localhost:{}", bundle.grafana);
    log_in(&mut browser, &root);
    // Notifications begin with GRAFANA_ROOT_URL, whose port is the default one.
    let link = alert["logs_url"].as_str().unwrap();
    let (_, path) = link.split_once("/explore?").unwrap_or_else(|| panic!("{link} leads to no lines"));
    browser.open(&format!("{root}/explore?{path}"));
    browser.until("the lines behind the alert", LINES);
    let line = r#"[...document.querySelectorAll('.log-line-body, [class*="log-line-body"]')].find(line => line.innerText.includes('/checkout'))"#;
    browser.click("a failed checkout of api", line);
    let dashboard = "[...document.querySelectorAll('a')].find(a => a.innerText.trim() === 'Trace dashboard')";
    browser.follow("its trace", dashboard);
    browser.until("the dashboard Trace", "location.pathname.startsWith('/d/redpane-trace')");
    let spans = texts(&browser.until("spans", SPANS));
    let lines = texts(&browser.until("lines", &format!("(lines => lines && lines.length > 3 && lines)({LINES})")));
    println!("  {} spans, {} lines: {lines:?}", spans.len(), lines.len());
    let cause = lines.iter().any(|line| line.contains("payment 500") && line.contains(WHY));
    assert!(cause, "no line of payment says why: {lines:?}");
    // Grafana names service and operation beside the bar of a span.
    browser.until("a span of payment beside it", "document.body.innerText.includes('payment GET /checkout')");
    browser.close_new_pages();
}

/// Whether the alert of `api` is on.
fn firing(bundle: &Bundle) -> bool {
    let path =
        "/api/alertmanager/grafana/api/v2/alerts?active=true&filter=alertname%3D%22Any%205xx%22&filter=app%3D%22api%22";
    bundle.grafana("GET", path, "").json().as_array().is_some_and(|alerts| !alerts.is_empty())
}

/// Sets the faults of `payment`, which has no port on this machine: asked by curl in Grafana's container, as the drill does.
fn faults(bundle: &Bundle, settings: &str) {
    let put = ["exec", "-T", "grafana", "curl", "-fsS", "-X", "PUT", "-H", "Content-Type: application/json", "-d"];
    bundle.compose(&[&put[..], &[settings, "http://payment:8000/faults"]].concat());
}
