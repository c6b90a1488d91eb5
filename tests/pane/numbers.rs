//! The table, the state and the rules have the numbers of the requests that were sent.

use test_support::browser::Browser;

use crate::fixture::{Pane, text, texts};

pub(crate) async fn are_those_of_what_was_sent(pane: &Pane, browser: &mut Browser) {
    pane.send("/hello/ada", 30).await;
    pane.send("/nope", 12).await;
    pane.send("/faults/status/500", 6).await;
    // How many requests a row stands for, and the share of errors.
    let row = |route: &str| {
        format!(
            "(() => {{ const row = [...document.querySelectorAll('#routes tr')].find(row => row.querySelector('button').title.startsWith('GET {route}: '));
                return row && [row.querySelector('button').title.split(': ').pop(), row.cells[2].innerText]; }})()"
        )
    };
    let failed = row("/faults/status/{code}");
    browser.until("all requests are in the table", &format!("{failed}?.[0] === '6 requests'"));
    assert_eq!(texts(&browser.ask(&failed)), ["6 requests", "100 %"]);
    assert_eq!(texts(&browser.ask(&row("/hello/{name}"))), ["30 requests", "0"]);
    assert_eq!(texts(&browser.ask(&row("unmatched"))), ["12 requests", "0"]);
    assert!(text(browser, "#routes tr").contains("/faults/status/{code}"), "the worst route is on top");
    assert_eq!(text(browser, "#state").lines().find(|line| line.contains('%')), Some("12.5 %"));
    // The first words of the page.
    browser.until("it burns", "document.getElementById('state').dataset.state === 'burning'");
    assert!(text(browser, "#state-title").starts_with("Burning: "));
    assert!(text(browser, "#state-since").starts_with("since "));
    assert!(
        text(browser, "[data-rule=any_5xx]").contains("6 requests (limit 0)"),
        "{}",
        text(browser, "[data-rule=any_5xx]")
    );
    assert!(browser.ask("document.title").as_str().unwrap().contains("burning"));
    assert_eq!(browser.ask("document.querySelectorAll('.rule').length"), 5);
}
