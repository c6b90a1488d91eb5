//! The dashboards in a real browser, as somebody without an account sees them.

use serde_json::Value;
use test_support::browser::{Browser, NAMES, installed};

use crate::bundle::Bundle;
use crate::dashboards::dashboards;

/// Widths of a laptop's screen and of two monitors.
const WIDTHS: [u32; 3] = [1280, 1600, 1920];
/// High enough for the longest dashboard: a panel below the window's edge asks for nothing.
pub(crate) const HEIGHT: u32 = 4800;

/// True once every panel in sight shows something, and half a second later still nothing is asked for: panels ask in turns.
pub(crate) const SETTLED: &str = r#"(async () => {
    const shown = panel => panel.innerText.trim() || panel.querySelector('canvas, svg, [role="grid"]');
    const settled = () => {
        const panels = [...document.querySelectorAll('section [data-testid="data-testid panel content"]')]
            .filter(panel => panel.getBoundingClientRect().top < innerHeight);
        const busy = [...document.querySelectorAll('button')].some(button => button.innerText.trim() === 'Cancel')
            || document.querySelector('[aria-label="Panel loading bar"]');
        return panels.length > 3 && panels.every(shown) && !busy;
    };
    if (!settled()) return false;
    await new Promise(done => setTimeout(done, 500));
    return settled();
})()"#;

/// Everything on a page that somebody would call broken, as a list of texts.
const FAULTS: &str = r#"(() => {
    const all = selector => [...document.querySelectorAll(selector)];
    const panel = element => element.closest('section')?.getAttribute('data-testid') ?? 'the page';
    const cut = all('[data-testid^="data-testid Panel header"] h2').filter(title => title.scrollWidth > title.clientWidth);
    const empty = all('section *').filter(one => !one.children.length && one.textContent.trim() === 'No data');
    const failed = all('[data-testid="data-testid Panel status error"]');
    const said = ['_extracted', 'Dashboard not found', 'An unexpected error happened']
        .filter(text => document.body.innerText.includes(text));
    return [...cut.map(title => `the title "${title.textContent}" is cut`), ...empty.map(one => `no data in ${panel(one)}`),
        ...failed.map(one => `an error in ${panel(one)}`), ...said.map(text => `the page says "${text}"`)];
})()"#;

/// A browser, or nothing and a message where none is installed; a failure where it is required.
pub(crate) fn start() -> Option<Browser> {
    let Some(name) = installed() else {
        assert!(!test_support::is_required("chromium"), "REDPANE_TEST_REQUIRE names chromium, which is not installed");
        println!("  skipped: none of {NAMES:?} is installed");
        return None;
    };
    Some(Browser::start(name))
}

pub(crate) fn every_dashboard_is_whole(bundle: &Bundle) {
    let Some(mut browser) = start() else { return };
    let mut wrong = Vec::new();
    for width in WIDTHS {
        browser.resize(width, HEIGHT);
        for dashboard in dashboards() {
            browser.open(&format!("http://127.0.0.1:{}/d/{}?refresh=1d", bundle.grafana, dashboard.uid));
            browser
                .until("the dashboard's title stands", &format!("document.title.startsWith('{} - ')", dashboard.title));
            browser.until("every panel has its answer", SETTLED);
            let faults = browser.ask(FAULTS);
            let panels = browser.ask("document.querySelectorAll('section').length");
            println!("  {} at {width}: {panels} panels, faults {faults}", dashboard.title);
            if faults != Value::Array(Vec::new()) {
                wrong.push(format!("{} at {width} pixels: {faults}", dashboard.title));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
