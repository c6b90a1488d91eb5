//! Ten thousand lines a second.

use std::time::Duration;

use test_support::browser::Browser;
use test_support::raw;

use crate::fixture::{Pane, open};

/// Requests that are sent at once, on one connection.
const AT_ONCE: usize = 500;

/// The service writes more than a person can read: some of it is shown, and the rest is counted.
pub(crate) async fn of_requests_is_shown_in_part(pane: &Pane, browser: &mut Browser) {
    open(browser, pane, "");
    let service = pane.service;
    let flood = tokio::spawn(async move {
        loop {
            let requests = "GET /hello/flood HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(AT_ONCE - 1);
            let last = "GET /hello/flood HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
            raw::exchange(service, requests + last).await;
        }
    });
    browser.until(
        "it says what is left out",
        "document.getElementById('lines-note').textContent.includes('dropped for you')",
    );
    flood.abort();
    browser.until("it is quiet again", "document.querySelector('[data-total=in_flight]').textContent === '0'");
}

/// Makes a feed bring a thousand lines ten times a second, which the service would not send.
const FLOOD: &str = r#"(() => {
    if (!location.search.includes('find=flood')) return;
    let id = 1e9;
    window.EventSource = class extends EventSource {
        constructor(address) {
            super(address);
            this.flood = setInterval(() => {
                const timestamp = new Date().toISOString();
                const lines = Array.from({ length: 1000 }, () => ({ id: id += 1, line: { timestamp, level: id % 50 ? 'INFO' : 'ERROR', app: 'api', trace_id: String(id).padStart(32, '0'),
                    target: 'redpane::access', message: 'request', method: 'GET', route: '/hello/{name}', path: `/hello/${id}`, status: 200, outcome: 'complete', duration_seconds: 0.0003 } }));
                this.dispatchEvent(new MessageEvent('lines', { data: JSON.stringify({ lines }) }));
            }, 100);
        }
        close() { clearInterval(this.flood); super.close(); }
    };
})()"#;

/// Times of five seconds of frames in milliseconds: how many, the middle one, the longest one.
const FRAMES: &str = r#"new Promise(done => {
    const times = []; let last = performance.now(); const end = last + 5000;
    const frame = now => {
        times.push(now - last); last = now;
        if (now < end) return requestAnimationFrame(frame);
        times.sort((a, b) => a - b);
        done([times.length, times[times.length >> 1], times[Math.floor(times.length * 0.95)], times[times.length - 1]].map(Math.round));
    };
    requestAnimationFrame(frame);
})"#;

/// A page that freezes is one that does not answer a key for a second.
const LONGEST: Duration = Duration::from_secs(1);

pub(crate) fn of_lines_does_not_freeze_it(pane: &Pane, browser: &mut Browser) {
    browser.before_pages(FLOOD);
    browser.resize(1440, 900);
    open(browser, pane, "?find=flood");
    browser
        .until("the list is full", "document.getElementById('lines-note').textContent.includes('the newest 5k shown')");
    let frames = browser.ask(FRAMES);
    let at = |index: usize| frames[index].as_u64().unwrap();
    println!(
        "  10,000 lines a second: {} frames in 5 s, middle {} ms, 95 % {} ms, longest {} ms",
        at(0),
        at(1),
        at(2),
        at(3)
    );
    assert!(u128::from(at(3)) < LONGEST.as_millis() && at(0) > 50, "{frames}");
    assert!(browser.ask("document.querySelectorAll('#list .row').length").as_u64().unwrap() < 200);
    // What was clicked on is what opens: rows stand still below the pointer.
    browser.press(" ", " ");
    browser.until("it still hears keys", "document.getElementById('feed').textContent.startsWith('Paused')");
}
