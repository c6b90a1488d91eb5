//! From a span of the dashboard *Trace* to the lines of its service and to the metrics of its route.

use test_support::browser::Browser;

use crate::browser::start;
use crate::bundle::{Bundle, eventually};
use crate::clicks::{LINES, SPANS, log_in, texts};
use crate::spans::{CHAIN, check_out, count};

pub(crate) fn every_span_leads_to_its_lines_and_metrics(bundle: &Bundle) {
    let Some(mut browser) = start() else { return };
    browser.resize(1600, 1000);
    let id = check_out(bundle);
    eventually("the spans of the trace are in Tempo", 60, || match count(bundle, &id) {
        // Those of requests, and of calls, which each service but the last one makes.
        found if found >= 2 * CHAIN.len() - 1 => Ok(()),
        found => Err(format!("{found} spans of {id}")),
    });
    let root = format!("http://localhost:{}", bundle.grafana);
    log_in(&mut browser, &root);
    let trace = format!("{root}/d/redpane-trace?var-trace_id={id}&from=now-15m&to=now&refresh=1d");
    for app in CHAIN {
        open_span(&mut browser, &trace, app);
        follow(&mut browser, "Logs for this span");
        let lines = texts(&browser.until("the lines of the span", LINES));
        let stored = bundle.lines(&format!(r#"{{app="{app}"}} | trace_id="{id}""#));
        assert_eq!(lines.len(), stored.len(), "{app}: {lines:?}");
        browser.close_new_pages();
    }
    for title in ["Requests by status", "p99 latency"] {
        open_span(&mut browser, &trace, CHAIN[0]);
        follow(&mut browser, title);
        browser.until("a graph of the metrics", "!!document.querySelector('.uplot canvas')");
        let query = browser.ask("decodeURIComponent(location.href)");
        let query = query.as_str().unwrap_or_default();
        assert!(query.contains("api") && query.contains("/checkout"), "not of the span's route: {query}");
        browser.close_new_pages();
    }
    println!("  trace {id}: the first span of {CHAIN:?} to its lines, and of api to its metrics");
}

/// Opens what is known of the first span of a service, which is that of its request or of the call before it.
fn open_span(browser: &mut Browser, trace: &str, app: &str) {
    browser.open(trace);
    browser.until("spans", SPANS);
    let span = format!(
        r#"[...document.querySelectorAll('[data-testid="span-view"]')].find(span => span.closest('div[class*="span-row"], [class*="row"]')?.innerText.includes('{app}'))"#
    );
    browser.click(&format!("a span of {app}"), &span);
}

fn follow(browser: &mut Browser, title: &str) {
    let link = format!("[...document.querySelectorAll('a')].find(a => a.innerText.trim() === '{title}')");
    browser.until(title, &format!("!!{link}"));
    browser.follow(title, &link);
    browser.until("Explore", "location.pathname.startsWith('/explore')");
}
