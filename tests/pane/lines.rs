//! Live lines: they stop and go on, and are filtered by level, text and field.

use test_support::browser::Browser;

use crate::fixture::{Pane, ROWS, open};

fn has(word: &str) -> String {
    format!("{ROWS}.some(row => row.textContent.includes('{word}'))")
}

pub(crate) async fn stop_and_go_on(pane: &Pane, browser: &mut Browser) {
    open(browser, pane, "");
    // Away from the list: rows are held while somebody points at them.
    browser.hover((5.0, 5.0));
    pane.send("/hello/running", 1).await;
    browser.until("a line comes by itself", &has("/hello/running"));
    browser.press(" ", " ");
    browser.until("it is paused", "document.getElementById('feed').textContent.startsWith('Paused at')");
    pane.send("/hello/paused", 2).await;
    browser.until(
        "it says what is not shown",
        "document.getElementById('lines-note').textContent.includes('2 new, paused')",
    );
    assert_eq!(browser.ask(&has("/hello/paused")), false);
    browser.press(" ", " ");
    browser.until("it goes on", &has("/hello/paused"));
}

pub(crate) async fn are_filtered(pane: &Pane, browser: &mut Browser) {
    pane.send("/hello/needle", 2).await;
    pane.send("/hello/hay", 2).await;
    browser.press("/", "/");
    browser.until("the search has the focus", "document.activeElement.id === 'search'");
    browser.write("needle");
    let only = |word: &str, count: usize| {
        format!("{ROWS}.length === {count} && {ROWS}.every(row => row.textContent.includes('{word}'))")
    };
    browser.until("lines with this text only", &only("/hello/needle", 2));
    pane.send("/hello/hay", 1).await;
    pane.send("/hello/needle", 1).await;
    browser.until("and so are those that come", &only("/hello/needle", 3));
    browser.ask("document.getElementById('search').select()");
    browser.write("path=/hello/hay status=200");
    browser.until("lines with these fields only", &only("/hello/hay", 3));
    assert_eq!(browser.ask("document.querySelectorAll('#chips li').length"), 2);
    browser.click("a field is taken off", "document.querySelector('#chips button')");
    browser.until("the other stays", "location.search === '?search=status%3D200'");
    browser.click("errors only", "document.querySelector('#levels input[value=error]')");
    browser.until(
        "a status of 200 is no error",
        "document.getElementById('list-empty').textContent.startsWith('No line matches')",
    );
    open(browser, pane, "?level=error");
    browser.until("errors only", &format!("{ROWS}.length > 0 && {ROWS}.every(row => row.dataset.level === 'ERROR')"));
}
