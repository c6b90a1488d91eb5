//! What is looked at can be taken elsewhere: as JSON, as curl, as PromQL and LogQL.

use test_support::browser::Browser;

use crate::fixture::text;

/// Follows the step before it: a trace of a failed request is open, of one route, in a chosen part of time.
pub(crate) fn are_what_is_looked_at(browser: &mut Browser) {
    browser.ask("navigator.clipboard.writeText = text => { window.copied = text; return Promise.resolve(); }");
    let trace_id = text(browser, "#trace code");
    let trace = serde_json::from_str::<serde_json::Value>(&copied(browser, "#trace", "JSON")).unwrap();
    assert_eq!(trace["trace_id"], trace_id);
    assert_eq!(trace["lines"][0]["line"]["path"], "/faults/status/503");
    assert!(copied(browser, "#trace", "curl").ends_with("/faults/status/503'"));
    assert_eq!(copied(browser, "#trace", "LogQL"), format!(r#"{{app="api"}} | json | trace_id="{trace_id}""#));
    let lines = copied(browser, "#lines-copies", "JSON");
    assert_eq!(lines.lines().count(), 5, "{lines}");
    let curl = copied(browser, "#lines-copies", "curl");
    assert!(curl.starts_with("curl -s 'http://127.0.0.1:") && curl.contains("/api/lines?from="), "{curl}");
    assert!(copied(browser, "#lines-copies", "LogQL").ends_with(r#"| method="GET" | route="/faults/status/{code}""#));
    let query = copied(browser, "[data-chart=latency]", "PromQL");
    let about = r#"{app="api",instance=~".+",method="GET",route="/faults/status/{code}"}"#;
    let rate = format!("rate(http_request_duration_seconds_bucket{about}[1m])");
    let quantiles = [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)].map(|(name, q)| {
        format!(r#"label_replace(histogram_quantile({q}, sum by (le) ({rate})), "quantile", "{name}", "", "")"#)
    });
    assert_eq!(query, quantiles.join(" or "));
    // One thing at a time.
    let query = |browser: &mut Browser| browser.ask("location.search").as_str().unwrap().to_owned();
    browser.press("Escape", "");
    browser.until("the trace is closed", "document.getElementById('trace').hidden");
    assert!(query(browser).contains("from=") && query(browser).contains("route="));
    browser.press("Escape", "");
    browser.until("the time is dropped", "!location.search.includes('from=')");
    browser.press("Escape", "");
    browser.until("the route is dropped", "location.search === ''");
}

fn copied(browser: &mut Browser, part: &str, label: &str) -> String {
    let button =
        format!("[...document.querySelectorAll('{part} button')].find(button => button.textContent === '{label}')");
    browser.ask("window.copied = ''");
    browser.click(label, &button);
    browser.until("it is copied", "window.copied").as_str().unwrap().to_owned()
}
