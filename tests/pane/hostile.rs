//! What lines contain is text, whatever it looks like.

use test_support::browser::Browser;
use test_support::raw;

use crate::fixture::{Pane, ROWS, open, text};

const AGENT: &str = r#"<img src=x onerror="window.hostile=1"><script>window.hostile=1</script>"#;

pub(crate) async fn text_stays_text(pane: &Pane, browser: &mut Browser) {
    pane.send_with("/hello/hostile", ("user-agent", AGENT)).await;
    pane.send_with("/hello/hostile", ("x-request-id", "<svg/onload=window.hostile=1>")).await;
    // It is in the search too, and in the chip that is made of it.
    open(browser, pane, "?search=%3Cimg+user_agent%3D%22%3Cb%3E%22");
    assert_eq!(browser.ask("document.querySelectorAll('#chips b').length"), 0);
    open(browser, pane, "?search=%2Fhello%2Fhostile");
    browser.until("both lines", &format!("{ROWS}.length === 2"));
    browser.click("the first one", &format!("{ROWS}[1]"));
    browser.until("its fields", "document.querySelector('#trace .chosen dl')");
    assert!(text(browser, "#trace .chosen dl").contains(AGENT));
    browser.click("the other one", &format!("{ROWS}[0]"));
    browser.until(
        "its fields",
        "document.querySelector('#trace .chosen dl')?.innerText.includes('<svg/onload=window.hostile=1>')",
    );
    assert_eq!(browser.ask("document.querySelectorAll('main img, .dock :is(img, script, b, svg)').length"), 0);
    assert_eq!(browser.ask("typeof window.hostile"), "undefined");
    // What turns text around, or is not seen, is shown by its number.
    let turned = "GET /hello/turned HTTP/1.1\r\nhost: localhost\r\nuser-agent: a\u{202e}b\u{200b}c\u{2028}d\r\nconnection: close\r\n\r\n";
    raw::exchange(pane.service, turned).await;
    browser.open(&pane.url("?search=%2Fhello%2Fturned+key%3Da%E2%80%AEb"));
    browser.until("the line", &format!("{ROWS}.length === 0 && document.querySelector('#chips button')"));
    assert_eq!(text(browser, "#chips button"), r"key=a\u202eb");
    browser.open(&pane.url("?search=%2Fhello%2Fturned"));
    browser.until("the line", &format!("{ROWS}.length === 1"));
    browser.click("the line", &format!("{ROWS}[0]"));
    browser.until("its fields", "document.querySelector('#trace .chosen dl')");
    assert!(
        text(browser, "#trace .chosen dl").contains(r"a\u202eb\u200bc\u2028d"),
        "{}",
        text(browser, "#trace .chosen dl")
    );
    // Were one of them markup after all, the policy would still not run it.
    browser.ask("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.hostile=1\">')");
    browser.until("the image has failed", "new Promise(done => setTimeout(() => done(true), 300))");
    assert_eq!(browser.ask("typeof window.hostile"), "undefined");
    browser.records();
}
