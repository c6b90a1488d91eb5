//! What the page is before anything happened: small, without an error, and of one host.

use test_support::browser::Browser;

use crate::fixture::{LIVE, Pane, text};

/// What the page and its files may weigh over the wire, their headers included.
const MOST_BYTES: u64 = 150 * 1024;

pub(crate) fn is_light_silent_and_local(pane: &Pane, browser: &mut Browser) {
    browser.record();
    let address = pane.url("");
    browser.open(&address);
    browser.until("the page is live", LIVE);
    let records = browser.records();
    assert!(records.problems.is_empty(), "{:#?}", records.problems);
    let foreign: Vec<_> = records.requests.iter().filter(|asked| !asked.url.starts_with(&address)).collect();
    assert!(foreign.is_empty(), "requests to others: {foreign:?}");
    assert!(records.requests.iter().any(|asked| asked.url.contains("/api/live")), "{:?}", records.requests);
    let (data, page): (Vec<_>, Vec<_>) = records.requests.iter().partition(|asked| asked.url.contains("/api/"));
    let [data, page] = [data, page].map(|part| (part.len(), part.iter().map(|asked| asked.bytes).sum::<u64>()));
    assert!(page.1 > 10_000 && page.1 <= MOST_BYTES, "{} bytes", page.1);
    let painted = browser.ask("Math.round(performance.getEntriesByName('first-contentful-paint')[0]?.startTime)");
    println!("  first load: {page:?} (files, bytes), then {data:?} of data, painted after {painted} ms");
    assert_eq!(text(browser, "#state-title"), "No requests yet");
    assert!(text(browser, "#routes-empty").starts_with("No requests in the last minute"));
}

/// Takes all turns of this browser before the page does, as five other tabs would.
const TAKE_TURNS: &str = r#"if (location.search.includes('find=crowded')) {
    for (let number = 0; number < 5; number += 1) navigator.locks.request(`redpane-feed-${number}`, () => new Promise(done => { (window.turns ??= []).push(done); }));
}"#;

/// Beside five others a page waits for its turn, says so, and goes on by itself.
pub(crate) fn says_what_it_waits_for(pane: &Pane, browser: &mut Browser) {
    browser.before_pages(TAKE_TURNS);
    browser.open(&pane.url("?find=crowded"));
    browser.until("it waits", "document.getElementById('feed').textContent === 'Waiting: 5 other tabs are live'");
    browser.until(
        "its state is asked for all the same",
        "document.getElementById('state-title').textContent === 'No requests yet'",
    );
    browser.ask("window.turns.forEach(done => done())");
    browser.until("it is live", LIVE);
}

/// More than the connections that a browser has to one host.
const TIMES: usize = 15;

/// A page that was left gives its connection back at once: else the next ones would wait for it.
pub(crate) fn may_be_repeated(pane: &Pane, browser: &mut Browser) {
    for number in 0..TIMES {
        browser.open(&pane.url(&format!("?search={number}")));
        browser.until("the feed is live", "document.getElementById('feed')?.dataset.state === 'live'");
    }
    let viewers = "fetch('api/overview').then(answer => answer.json()).then(overview => overview.pane.viewers)";
    browser.until("one page looks", &format!("({viewers}).then(viewers => viewers === 1)"));
}
