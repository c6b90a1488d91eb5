//! A telephone, and the system's choice of light or dark.

use test_support::browser::Browser;

use crate::fixture::{Pane, SIZE, open};

const WIDTHS: [u32; 3] = [360, 768, 1280];

pub(crate) fn screens_hold_all_of_it(pane: &Pane, browser: &mut Browser) {
    for scheme in ["light", "dark"] {
        browser.prefer(scheme);
        for width in WIDTHS {
            browser.resize(width, 780);
            // With everything chosen that can be: what is pressed is read as well.
            open(browser, pane, "?method=GET&route=%2Ffaults%2Fstatus%2F%7Bcode%7D&find=tokio");
            browser.press(" ", " ");
            browser.until("it is paused", "document.getElementById('pause').ariaPressed === 'true'");
            assert!(
                browser.ask("document.documentElement.scrollWidth").as_u64().unwrap() <= width.into(),
                "{width} pixels scroll sideways"
            );
            assert!(browser.ask(PRESSED).as_u64().unwrap() >= 2, "at {width} pixels a row and the pause are pressed");
            assert_eq!(browser.ask(LOW_CONTRAST), serde_json::json!([]), "at {width} pixels, {scheme}");
            assert_eq!(browser.ask(CUT_OFF), serde_json::json!([]), "at {width} pixels");
            for control in ["log-filter", "link", "help", "pause"] {
                let seen = format!("document.getElementById('{control}').getBoundingClientRect()");
                let right = browser.ask(&format!("{seen}.width && {seen}.right")).as_f64().unwrap();
                assert!(right > 0.0 && right <= width.into(), "{control} at {width} pixels");
            }
        }
    }
    browser.resize(SIZE.0, SIZE.1);
}

const PRESSED: &str = "document.querySelectorAll('[aria-pressed=true]').length";

/// Names that are not there to their end, or that stand on more than three lines.
const CUT_OFF: &str = r#"[...document.querySelectorAll('#routes button span, .routes .scroll, .rule b, .rule .unit, .rule .where')]
    .filter(one => one.offsetParent && (one.clientWidth && one.scrollWidth > one.clientWidth + 1
        || one.closest('button') && one.getClientRects().length > 3
        || one.closest('td') && one.getBoundingClientRect().right > one.closest('td').getBoundingClientRect().right + 1))
    .map(one => `${one.className} ${one.textContent}`)"#;

/// Texts whose contrast with what lies behind them is below 4.5, or 3 where they are large (WCAG 2.1, AA).
const LOW_CONTRAST: &str = r#"(() => {
    const parts = text => (text.match(/[\d.]+%?/g) ?? []).map(Number);
    const read = text => text.startsWith('color(') ? parts(text.replace(/^color\(srgb/, '')).map((one, index) => index < 3 ? one * 255 : one) : parts(text);
    const mix = (front, back) => { const alpha = front[3] ?? 1; return back.map((one, index) => front[index] * alpha + one * (1 - alpha)); };
    const behind = element => {
        const layers = [];
        for (let one = element; one; one = one.parentElement) layers.unshift(read(getComputedStyle(one).backgroundColor));
        return layers.reduce((back, layer) => mix(layer, back), [255, 255, 255]);
    };
    const light = color => { const [r, g, b] = color.map(one => { const part = one / 255; return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
    const low = [];
    for (const element of document.querySelectorAll('body *')) {
        const own = [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
        const box = element.getBoundingClientRect();
        if (!own || !box.width || box.bottom < 0 || element.closest('.unseen, .skip, .u-over, dialog:not([open])')) continue;
        const style = getComputedStyle(element);
        if (style.visibility === 'hidden' || style.opacity === '0' || element.closest('.toast')) continue;
        const back = behind(element);
        const [a, b] = [light(mix(read(style.color), back)), light(back)];
        const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
        if (contrast < (large ? 3 : 4.5)) low.push(`${element.tagName}.${element.className} "${element.textContent.trim().slice(0, 30)}" ${contrast.toFixed(2)}`);
    }
    return low;
})()"#;
