//! The dashboards in a real browser, as somebody without an account sees them.

use std::process::Command;

use crate::bundle::Bundle;
use crate::dashboards::dashboards;

/// Names of the browser, by distribution.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/// What Grafana's pages contain where a panel or the page shows an error, or nothing: class names, test ids and texts of
/// several versions.
const ERROR_MARKS: [&str; 6] = [
    "panel-info-corner--error",
    "Panel status error",
    "alert-error",
    "Dashboard not found",
    "An unexpected error happened",
    ">No data<",
];

pub(crate) fn every_dashboard_opens(bundle: &Bundle) {
    let works = |name: &&&str| Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success());
    let Some(browser) = BROWSERS.iter().find(works) else {
        let required = std::env::var("REDPANE_TEST_REQUIRE").unwrap_or_default();
        assert!(!required.contains("chromium"), "REDPANE_TEST_REQUIRE names chromium, which is not installed");
        return println!("  skipped: none of {BROWSERS:?} is installed");
    };
    let profile = std::env::temp_dir().join(format!("redpane-browser-{}", std::process::id()));
    let mut wrong = Vec::new();
    for dashboard in dashboards() {
        let page = dump(browser, &profile, &format!("http://127.0.0.1:{}/d/{}", bundle.grafana, dashboard.uid));
        let marks: Vec<_> = ERROR_MARKS.iter().filter(|mark| page.contains(**mark)).collect();
        let titled = page.contains(&format!("<title>{} - ", dashboard.title));
        let drawn = page.contains("panel-content") || page.contains("data-testid panel content");
        println!("  {}: {} bytes, titled {titled}, panels {drawn}, errors {marks:?}", dashboard.title, page.len());
        if !titled || !drawn || !marks.is_empty() {
            wrong.push(dashboard.title);
        }
    }
    drop(std::fs::remove_dir_all(&profile));
    assert!(wrong.is_empty(), "these dashboards do not open as they should: {}", wrong.join(", "));
}

/// The page after its scripts have run, with ten seconds for its queries.
fn dump(browser: &str, profile: &std::path::Path, url: &str) -> String {
    let mut command = Command::new(browser);
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1600,3000"]);
    command.args(["--disable-background-networking", "--no-first-run", "--virtual-time-budget=20000"]);
    command.arg(format!("--user-data-dir={}", profile.display())).args(["--dump-dom", url]);
    let output = command.output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}
