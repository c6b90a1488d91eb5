//! Every kind of link there is, clicked as somebody who was woken clicks it: each must show the lines expected.

use serde_json::{Value, json};
use test_support::browser::Browser;

use crate::browser::{SETTLED, start};
use crate::bundle::{Bundle, eventually};
use crate::queries::now_seconds;
use crate::spans;
use crate::traffic::send_mix;

/// The route whose requests fail, of the mix.
const ROUTE: &str = "/faults/status/{code}";
/// What the lines on a page say; the classes are those of Grafana's list of lines.
pub(crate) const LINES: &str = r#"(lines => lines.length && lines)([...document.querySelectorAll('.log-line-body, [class*="log-line-body"]')]
    .map(line => line.innerText.trim()).filter(text => text))"#;

/// The spans on a page, of a panel or of Explore.
pub(crate) const SPANS: &str = r#"(spans => spans.length && spans)([...document.querySelectorAll('[data-testid="span-view"]')]
    .map(span => span.innerText.trim()))"#;

pub(crate) fn every_link_shows_its_lines(bundle: &Bundle) {
    let Some(mut browser) = start() else { return };
    browser.resize(1600, 1000);
    let spike = make_failures(bundle);
    // The name that links in notifications begin with: an account is logged in at one name only.
    let root = format!("http://localhost:{}", bundle.grafana);
    log_in(&mut browser, &root);
    // Nothing but the spike, or another route's errors may be nearer to the cursor.
    let (from, to) = ((spike - 90) * 1000, (spike + 90) * 1000);
    let service = format!("{root}/d/redpane-service?from={from}&to={to}&refresh=1d");

    spike_to_line(&mut browser, &service, spike, (from, to));
    line_to_trace(bundle, &mut browser);
    failed_request_to_trace(bundle, &mut browser, &service);
    exemplar_to_trace(bundle, &mut browser, &service);
    alert_to_lines(&mut browser, &format!("{root}/d/redpane-service?from=now-3h&to=now&refresh=1d"));
}

/// Grafana lets nobody explore who has no account.
pub(crate) fn log_in(browser: &mut Browser, root: &str) {
    browser.open(&format!("{root}/login"));
    let sent = r#"fetch('/login', {method: 'POST', headers: {'content-type': 'application/json'},
        body: JSON.stringify({user: 'admin', password: 'redpane'})}).then(answer => answer.ok)"#;
    browser.until("logged in", sent);
}

/// Fails requests until Prometheus shows it and an alert is delivered; gives the second with the highest rate.
fn make_failures(bundle: &Bundle) -> u64 {
    eventually("an alert is delivered", 420, || {
        send_mix(bundle, "clicks", 16);
        let delivered = bundle.lines(r#"{app="alerts"} | json message, state | message="alert" | state="firing""#);
        if delivered.is_empty() { Err("no line of the receiver".into()) } else { Ok(()) }
    });
    // A point of its own, some scrapes after the last failure, so that the spike is no plateau.
    let any = r#"sum(rate(http_requests_total{app="api", status=~"5.."}[1m]))"#;
    eventually("the failures are over", 120, || {
        let rate = bundle.promql_value(any);
        if rate == 0.0 { Ok(()) } else { Err(format!("{rate}/s")) }
    });
    let failed = format!(r#"sum(rate(http_requests_total{{app="api", route="{ROUTE}", status=~"5.."}}[20s]))"#);
    send_mix(bundle, "spike", 160);
    let mut highest = (0.0, 0);
    eventually("the spike is in Prometheus, and over", 90, || {
        let rate = bundle.promql_value(&failed);
        if rate > highest.0 {
            highest = (rate, now_seconds());
        }
        if highest.0 > 1.0 && rate < highest.0 { Ok(highest.1) } else { Err(format!("{rate}/s")) }
    })
}

/// From the spike to the guilty line: a click on the point, a click on its link.
fn spike_to_line(browser: &mut Browser, service: &str, spike: u64, (from, to): (u64, u64)) {
    browser.open(service);
    browser.until("every panel has its answer", SETTLED);
    let area = r#"document.querySelector('[data-testid="data-testid Panel header Errors"] .u-over')"#;
    browser.place("the panel Errors", area);
    let link = format!(
        "[...document.querySelectorAll('a')].find(a => a.innerText === 'Failed requests of {ROUTE} around this point')"
    );
    let share = (spike * 1000 - from) as f64 / (to - from) as f64;
    let boxed =
        browser.until("its place", &format!("(b => [b.x, b.y, b.width, b.height])({area}.getBoundingClientRect())"));
    let [x, y, width, height] = [0, 1, 2, 3].map(|index| boxed[index].as_f64().unwrap());
    // The nearest series is the one that counts; where it is depends on what else failed. What a click on another pins is
    // closed again.
    let pinned = (1..40).rev().any(|step| {
        let place = (x + width * share, y + height * f64::from(step) / 40.0);
        browser.hover((place.0 - 2.0, place.1));
        browser.click_at(place);
        // What a click pins is drawn at once, or within seconds where the machine is busy.
        let appears = (0..30).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(100));
            browser.ask(&format!("!!{link}")) == true
        });
        appears || {
            browser.ask(
                "[...document.querySelectorAll('button[aria-label=\"Close\"]')].forEach(button => button.click())",
            );
            false
        }
    });
    assert!(pinned, "no place on the panel Errors gives the link to the failed requests of {ROUTE}");
    browser.follow("the link of the point", &link);
    browser.until("the lines' dashboard", "location.pathname.startsWith('/d/redpane-logs')");
    browser.until("every panel has its answer", SETTLED);
    let lines = browser.until("lines", LINES);
    let lines = texts(&lines);
    println!("  spike: {} lines, the first: {}", lines.len(), lines[0]);
    for line in &lines {
        assert!(line.contains(" 500 GET /faults/status/500") || line.contains(" 503 GET /faults/status/503"), "{line}");
        assert!(!line.contains('\n') && !line.contains('{'), "not one readable line: {line}");
    }
    let range = browser.ask("(p => [p.get('from'), p.get('to')].map(t => new Date(/^\\d+$/.test(t) ? +t : t).getTime() / 1000))(new URLSearchParams(location.search))");
    let [from, to] = [0, 1].map(|index| range[index].as_f64().unwrap());
    let spike = spike as f64;
    assert!(from < spike && spike < to && to - from <= 120.0, "{range} is no range around {spike}");
}

/// The links of a line: all lines of its trace in Explore, and the dashboard *Trace*, each in a tab of its own.
fn line_to_trace(bundle: &Bundle, browser: &mut Browser) {
    browser.click("a line", r#"document.querySelector('.log-line-body, [class*="log-line-body"]')"#);
    for (title, place) in [("All lines of this trace", "/explore"), ("Trace dashboard", "/d/redpane-trace")] {
        let link = format!("[...document.querySelectorAll('a')].find(a => a.innerText.trim() === '{title}')");
        browser.follow(title, &link);
        browser.until("the page of the link", &format!("location.pathname.startsWith('{place}')"));
        expect_trace(bundle, browser, title);
        browser.close_new_pages();
    }
    let link = "[...document.querySelectorAll('a')].find(a => a.innerText.trim() === 'Waterfall of this trace')";
    browser.follow("Waterfall of this trace", link);
    expect_waterfall(bundle, browser, "a line");
    browser.close_new_pages();
}

/// The table under the golden signals: a trace id leads to its lines.
fn failed_request_to_trace(bundle: &Bundle, browser: &mut Browser, service: &str) {
    browser.open(service);
    browser.until("every panel has its answer", SETTLED);
    let id = r#"document.querySelector('[data-testid="data-testid Panel header Failed requests and errors"] a[href*="redpane-trace"]')"#;
    browser.follow("a trace id in the table", id);
    browser.until("the dashboard Trace", "location.pathname.startsWith('/d/redpane-trace')");
    expect_trace(bundle, browser, "the table of failed requests");
    browser.close_new_pages();
}

/// A diamond on the latency panel leads to the request behind it: all its lines, and its spans.
fn exemplar_to_trace(bundle: &Bundle, browser: &mut Browser, service: &str) {
    for (title, place) in [("All lines of this trace", "/d/redpane-trace"), ("Waterfall of this trace", "/explore")] {
        browser.open(service);
        browser.until("every panel has its answer", SETTLED);
        let marker = r#"(all => all[all.length - 1])([...document.querySelectorAll(
            '[data-testid="data-testid Panel header Latency"] [data-testid="data-testid Exemplar marker"]')])"#;
        browser.click("an exemplar", marker);
        let link =
            format!("[...document.querySelectorAll('a[href*=\"trace\"]')].find(a => a.innerText.trim() === '{title}')");
        browser.until("the exemplar's link", &format!("!!{link}"));
        browser.follow("the exemplar's link", &link);
        browser.until("the page of the link", &format!("location.pathname.startsWith('{place}')"));
        match place {
            "/explore" => expect_waterfall(bundle, browser, "an exemplar"),
            _ => expect_trace(bundle, browser, "an exemplar"),
        }
        browser.close_new_pages();
    }
}

/// A delivered alert leads to the lines behind it.
fn alert_to_lines(browser: &mut Browser, service: &str) {
    browser.open(&format!("{service}&viewPanel=21"));
    let name = "document.querySelector('[role=\"gridcell\"] a, [role=\"gridcell\"] button')";
    browser.click("the name of an alert", name);
    let link = "[...document.querySelectorAll('a')].find(a => a.innerText.trim() === 'Lines behind the alert')";
    browser.follow("the link of the alert", link);
    browser.until("Explore", "location.pathname.startsWith('/explore')");
    let lines = browser.until("the lines behind the alert", LINES);
    println!("  alert: {} lines", texts(&lines).len());
}

/// The page shows as many lines as Loki has of the trace in its address.
fn expect_trace(bundle: &Bundle, browser: &mut Browser, place: &str) {
    let lines = texts(&browser.until("lines of the trace", LINES));
    let id = trace_in_address(browser);
    println!(
        "  {place}: {} lines of trace {id}, the first: {}",
        lines.len(),
        lines[0].lines().next().unwrap_or_default()
    );
    let stored = bundle.lines(&format!(r#"{{app=~".+"}} | trace_id="{id}""#));
    assert_eq!(lines.len(), stored.len(), "{place}: {lines:?}");
    let range = browser.ask("decodeURIComponent(location.search)");
    assert!(range.as_str().is_some_and(|text| text.contains("from")), "no time range in {range}");
}

/// The trace that the address of the page names.
fn trace_in_address(browser: &mut Browser) -> String {
    let id = browser.ask("decodeURIComponent(location.href).match(/[0-9a-f]{32}/)[0]");
    id.as_str().unwrap().to_owned()
}

/// The page shows as many spans as Tempo has of the trace in its address.
fn expect_waterfall(bundle: &Bundle, browser: &mut Browser, place: &str) {
    let shown = texts(&browser.until("a span", SPANS));
    let id = trace_in_address(browser);
    println!("  {place}: {} spans of trace {id}, the first: {}", shown.len(), shown[0]);
    assert_eq!(shown.len(), spans::count(bundle, &id), "{place}: {shown:?}");
}

pub(crate) fn texts(lines: &Value) -> Vec<String> {
    let none = json!([]);
    let lines = lines.as_array().unwrap_or(none.as_array().unwrap());
    lines.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}
