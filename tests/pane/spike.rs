//! From a spike to the guilty line in two actions: a drag over a chart, a click on a line.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use test_support::browser::Browser;

use crate::fixture::{Pane, ROWS, open, text, texts};

/// Far enough from the spike that a drag of some pixels does not reach it.
const APART: Duration = Duration::from_secs(4);

pub(crate) async fn leads_to_its_lines_and_their_trace(pane: &Pane, browser: &mut Browser) {
    tokio::time::sleep(APART).await;
    let spike = now_ms();
    pane.send("/faults/status/503", 5).await;
    pane.send("/hello/bystander", 3).await;
    tokio::time::sleep(APART).await;
    pane.send("/hello/later", 3).await;
    open(browser, pane, "");
    drag_over(browser, spike);
    let (from, to) = chosen(browser);
    assert!(from <= spike && spike < to, "{spike} is not in {from} to {to}");
    is_exactly(pane, browser, from, to, None);

    // The same of one route: a click on its row.
    browser.click("the worst route", "document.querySelector('#routes tr button')");
    is_exactly(pane, browser, from, to, Some("/faults/status/{code}"));

    browser.click("the newest line", &format!("{ROWS}[0]"));
    browser.until("its trace", "document.querySelector('#trace h3')?.textContent === 'GET /faults/status/503'");
    let trace_id = text(browser, "#trace code");
    let line = pane.process.lines().into_iter().find(|line| line.get_str("trace_id") == Some(&trace_id)).unwrap();
    assert_eq!(line.str("path"), "/faults/status/503");
    assert!(text(browser, ".waterfall").contains("GET /faults/status/{code}"));
    assert!(
        text(browser, ".trace-lines .chosen dl").contains(line.str("request_id")),
        "all fields of the line are there"
    );

    // Whoever gets the link sees the same.
    let address = browser.ask("location.href").as_str().unwrap().to_owned();
    browser.open("about:blank");
    browser.open(&address);
    browser.until("the same trace", &format!("document.querySelector('#trace code')?.textContent === '{trace_id}'"));
    is_exactly(pane, browser, from, to, Some("/faults/status/{code}"));
}

fn now_ms() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// Drags over some seconds around a moment of the chart of errors.
fn drag_over(browser: &mut Browser, moment: i64) {
    browser.place("the chart stands still", "document.querySelector('[data-chart=error_ratio] .u-over')");
    // The chart says which part of time it shows, as it does to a screen reader.
    let place = browser.ask(&format!(
        "(() => {{ const chart = document.querySelector('[data-chart=error_ratio] .plot');
            const box = chart.querySelector('.u-over').getBoundingClientRect();
            const [from, to] = [chart.ariaValueMin, chart.ariaValueMax].map(Number);
            const x = ms => box.x + (ms - from) / (to - from) * box.width;
            return [x({moment} - 1500), x({moment} + 2500), box.y + box.height / 2]; }})()"
    ));
    let at = |index: usize| place[index].as_f64().unwrap();
    // It ends over another chart, the one above or below: it is of the chart on which it began.
    let elsewhere = browser.ask(
        "(() => { const box = document.querySelector('[data-chart=latency] .u-over').getBoundingClientRect(); return box.y + box.height / 2; })()",
    );
    browser.drag((at(0), at(2)), (at(1), elsewhere.as_f64().unwrap()));
    browser.until("a part of time is chosen", "new URLSearchParams(location.search).has('from')");
}

fn chosen(browser: &mut Browser) -> (i64, i64) {
    let part = browser.ask("['from', 'to'].map(name => Number(new URLSearchParams(location.search).get(name)))");
    (part[0].as_i64().unwrap(), part[1].as_i64().unwrap())
}

/// The list has the lines that the service wrote in that time (of that route), and no other, the newest first.
fn is_exactly(pane: &Pane, browser: &mut Browser, from: i64, to: i64, route: Option<&str>) {
    let mut wanted: Vec<_> = pane.process.lines();
    let moment = |text: &str| browser_time(text);
    wanted.retain(|line| {
        let at = moment(line.str("timestamp"));
        from * 1000 <= at && at < to * 1000 && route.is_none_or(|route| line.get_str("route") == Some(route))
    });
    assert!(!wanted.is_empty());
    let ids: Vec<_> = wanted
        .iter()
        .rev()
        .map(|line| line.get_str("trace_id").unwrap_or_default().chars().take(8).collect::<String>())
        .collect();
    let shown = format!("{ROWS}.map(row => row.querySelector('.id').textContent)");
    browser.until("these lines", &format!("JSON.stringify({shown}) === '{}'", Value::from(ids.clone())));
    assert_eq!(texts(&browser.ask(&shown)), ids);
}

/// Microseconds since 1970 of a line's timestamp.
fn browser_time(timestamp: &str) -> i64 {
    let time = humantime::parse_rfc3339(timestamp).unwrap();
    i64::try_from(time.duration_since(UNIX_EPOCH).unwrap().as_micros()).unwrap()
}
