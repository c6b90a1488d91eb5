//! What somebody reads or is about to click on stays where it is: when the first answers come, and when it begins to burn.

use test_support::browser::Browser;

use crate::fixture::{Pane, SIZE, open};

/// Adds up how far things moved, as browsers judge pages (Layout Instability, `layout-shift`).
const OBSERVE: &str = "window.moved = 0; new PerformanceObserver(list => list.getEntries().forEach(entry => { if (!entry.hadRecentInput) window.moved += entry.value; })).observe({ type: 'layout-shift', buffered: true });";

/// Above this a page is called unsteady.
const MOST: f64 = 0.1;

pub(crate) async fn is_the_page(browser: &mut Browser) {
    browser.before_pages(OBSERVE);
    for width in [360, 768, 1280, 1920] {
        let pane = Pane::start().await;
        pane.send("/hello/steady", 3).await;
        browser.resize(width, 900);
        open(browser, &pane, "");
        browser.until(
            "rules and routes are there",
            "document.querySelectorAll('.rule').length === 5 && document.querySelector('#routes tr:not([hidden])')",
        );
        let loaded = settled(browser);
        assert!(loaded < MOST, "{loaded} while it is loaded, at {width} pixels");
        // A telephone has no room for what fires: it comes first there, and the others make way.
        if width > 640 {
            pane.send("/faults/status/500", 1).await;
            browser.until("it burns", "document.getElementById('state').dataset.state === 'burning'");
            let burning = settled(browser) - loaded;
            assert!(burning < MOST, "{burning} when it begins to burn, at {width} pixels");
        }
    }
    browser.resize(SIZE.0, SIZE.1);
}

/// What has moved when two more ticks are drawn.
fn settled(browser: &mut Browser) -> f64 {
    browser.until("two ticks", "new Promise(done => setTimeout(() => done(true), 2200))");
    browser.ask("window.moved").as_f64().unwrap()
}
