//! Making lines, reading them back, and adding up what was lost.

use std::time::Duration;

use redpane::{ExpositionFormat, Redpane, Telemetry};
use serde_json::Value;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt;

/// Longer than anything takes on the slowest machine; a test that needs it has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// The smallest log buffer there is.
pub(crate) const SMALL: usize = 64 * 1024;

pub(crate) fn small(output: impl std::io::Write + Send + 'static) -> Redpane {
    Redpane::new("test").log_writer(output).log_buffer_bytes(SMALL)
}

/// Logs numbered lines, each about 250 bytes long.
pub(crate) fn emit(telemetry: &Telemetry, numbers: std::ops::Range<u64>) {
    let subscriber = Registry::default().with(telemetry.log_layer());
    tracing::subscriber::with_default(subscriber, || {
        for number in numbers {
            tracing::info!(number, padding = "x".repeat(100), "a line");
        }
    });
}

/// Every line that is JSON; the rest are counted.
pub(crate) fn read(bytes: &[u8]) -> (Vec<Value>, usize) {
    assert!(bytes.is_empty() || bytes.ends_with(b"\n"), "the last line has no end");
    let lines = bytes.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let (whole, torn): (Vec<_>, Vec<_>) = lines.map(serde_json::from_slice).partition(Result::is_ok);
    (whole.into_iter().map(Result::unwrap).collect(), torn.len())
}

/// The numbers of the emitted lines among these, in their order.
pub(crate) fn numbers(lines: &[Value]) -> Vec<u64> {
    lines.iter().filter_map(|line| line["number"].as_u64()).collect()
}

/// How many lines each announcement says were lost.
pub(crate) fn announced(lines: &[Value]) -> Vec<u64> {
    let announcements = lines.iter().filter(|line| line["target"] == "redpane::logs");
    announcements
        .map(|line| {
            assert_eq!((line["level"].as_str(), line["app"].as_str()), (Some("WARN"), Some("test")));
            line["lines"].as_u64().unwrap()
        })
        .collect()
}

/// `log_lines_dropped_total` for a reason.
pub(crate) fn dropped(telemetry: &Telemetry, reason: &str) -> u64 {
    value(telemetry, &format!("log_lines_dropped_total{{reason=\"{reason}\"}} "))
}

/// `log_events_total` of all levels.
pub(crate) fn events(telemetry: &Telemetry) -> u64 {
    let levels = ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"].into_iter();
    levels.map(|level| value(telemetry, &format!("log_events_total{{level=\"{level}\"}} "))).sum()
}

fn value(telemetry: &Telemetry, series: &str) -> u64 {
    let text = telemetry.render(ExpositionFormat::Text);
    text.lines().find_map(|line| line.strip_prefix(series)).unwrap().parse().unwrap()
}

/// Waits until `reached`, and fails where it never is.
pub(crate) fn wait_until(what: &str, reached: impl Fn() -> bool) {
    let end = std::time::Instant::now() + PATIENCE;
    while !reached() {
        assert!(std::time::Instant::now() < end, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
