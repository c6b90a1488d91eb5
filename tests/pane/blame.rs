//! A service with few requests: what happened once is seen, and the page says where, as long as a rule fires.

use test_support::browser::Browser;

use crate::fixture::{Pane, open, text};

/// How many pixels of a chart have the colour of a series, as the style sheet names it.
fn pixels(chart: &str, color: &str) -> String {
    format!(
        "(() => {{ const wanted = getComputedStyle(document.documentElement).getPropertyValue('--{color}').match(/[0-9a-f]{{2}}/g).map(part => parseInt(part, 16));
            const canvas = document.querySelector('[data-chart={chart}] canvas');
            const {{ data }} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            let count = 0;
            for (let at = 0; at < data.length; at += 4) count += data[at + 3] > 200 && wanted.every((part, index) => Math.abs(part - data[at + index]) < 6);
            return count; }})()"
    )
}

const GUILTY: &str =
    "[...document.querySelectorAll('#routes tr')].find(row => row.textContent.includes('/faults/status/{code}'))";

pub(crate) async fn is_where_it_belongs(browser: &mut Browser) {
    let pane = Pane::start().await;
    pane.send("/hello/quiet", 2).await;
    pane.send("/faults/status/500", 1).await;
    open(browser, &pane, "");
    for (chart, color) in [("latency", "q3"), ("error_ratio", "c5xx")] {
        browser.until("a single value is a point", &format!("{} >= 4", pixels(chart, color)));
    }
    browser.until("it burns", "document.getElementById('state').dataset.state === 'burning'");
    assert_eq!(text(browser, "#state-title"), "Burning: GET /faults/status/{code} · Any 5xx in 2 min");
    assert!(text(browser, "#state-detail").contains("; most by GET /faults/status/{code} (1 of 1)"));
    assert_eq!(text(browser, "[data-rule=any_5xx] .where"), "GET /faults/status/{code}");
    // Its hour is made of steps of ten seconds, the running one left out.
    let few = "document.querySelector('[data-rule=fast_burn]').innerText.includes('ok: fewer than 5 errors')";
    browser.until("one error is too few to say that the budget burns", few);
    // The table is of the last minute, the rule of two: its route stays.
    let row = format!("{GUILTY}?.dataset.blame === 'burning' && {GUILTY}.querySelector('.why').innerText");
    assert_eq!(browser.until("the table says why", &row), "1 of 1 failed in 2 m");
    let gone = "fetch('api/overview').then(answer => answer.json()).then(({ routes }) => routes.every(({ route }) => route !== '/faults/status/{code}'))";
    browser.until("the minute is over", gone);
    browser.until("the next tick", &format!("{GUILTY}?.cells[1].innerText === '0'"));
    assert_eq!(browser.ask(&row), "1 of 1 failed in 2 m");
}
