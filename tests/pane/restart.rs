//! A service that goes away and comes back is noticed, and the page goes on.

use std::time::{SystemTime, UNIX_EPOCH};

use test_support::browser::Browser;
use test_support::eventually;

use crate::fixture::{LIVE, Pane, ROWS, open, text};

pub(crate) async fn is_noticed_and_said(pane: &mut Pane, browser: &mut Browser) {
    open(browser, pane, "");
    // A service that hangs keeps its connections: only its silence says so.
    pane.process.signal("STOP");
    browser.until("it says that there is no word", "document.getElementById('feed').textContent === 'Disconnected'");
    assert!(text(browser, "#state-title").starts_with("No connection for "));
    pane.process.signal("CONT");
    browser.until("it goes on", LIVE);
    pane.kill();
    browser.until("it says that there is no connection", "document.getElementById('state').dataset.state === 'lost'");
    assert!(text(browser, "#state-title").starts_with("No connection for "));
    assert!(text(browser, "#state-detail").contains("what you see is from before"));
    assert_eq!(text(browser, "#feed"), "Disconnected");
    pane.start_again().await;
    browser.until("it is live again by itself", LIVE);
    browser
        .until("it says why all is new", "document.getElementById('notice').textContent.startsWith('Restarted at ')");
    assert_eq!(text(browser, "#state-title"), "No requests yet");
    pane.send("/hello/again", 1).await;
    browser.until("new lines come", &format!("{ROWS}.some(row => row.textContent.includes('/hello/again'))"));
    assert_eq!(
        browser.ask(&format!("{ROWS}.some(row => row.textContent.includes('needle'))")),
        false,
        "lines of the process before are gone"
    );
}

/// A part of time that was chosen: what it had is gone with the process.
pub(crate) async fn leaves_nothing_of_a_chosen_time(pane: &mut Pane, browser: &mut Browser) {
    pane.send("/hello/chosen", 2).await;
    // The page that is open has them: the time to choose ends after that.
    browser.until("they are known", &format!("{ROWS}.some(row => row.textContent.includes('/hello/chosen'))"));
    let now = milliseconds();
    open(browser, pane, &format!("?from={}&to={now}", now - 20_000));
    browser.until("its lines", &format!("{ROWS}.some(row => row.textContent.includes('/hello/chosen'))"));
    // What is kept is kept by whole seconds: the new process must know nothing of the last one that was chosen.
    eventually("the chosen time is over", async || (milliseconds() / 1000 > now / 1000).then_some(())).await;
    pane.kill();
    pane.start_again().await;
    browser
        .until("it says why all is new", "document.getElementById('notice').textContent.startsWith('Restarted at ')");
    browser.until("no line of before", "document.getElementById('list-empty').textContent.startsWith('No lines')");
    let unknown = "document.getElementById('routes-empty').textContent.startsWith('Not known: nothing of the chosen')";
    browser.until("no route of before", unknown);
}

fn milliseconds() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()
}
