//! Making lines, reading them back, and adding up what was lost.

use std::time::Duration;

use redpane::{ExpositionFormat, Redpane, Telemetry};
use test_support::{Line, Log, Samples};
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

/// Every line that is whole; the rest are counted.
pub(crate) fn read(log: &Log) -> (Vec<Line>, usize) {
    let text = log.text();
    assert!(text.is_empty() || text.ends_with('\n'), "the last line has no end");
    let (whole, torn): (Vec<_>, Vec<_>) =
        text.lines().filter(|line| !line.is_empty()).map(Line::read).partition(Result::is_ok);
    (whole.into_iter().map(Result::unwrap).collect(), torn.len())
}

/// The numbers of the emitted lines among these, in their order.
pub(crate) fn numbers(lines: &[Line]) -> Vec<u64> {
    lines.iter().filter_map(|line| line.get("number")?.as_u64()).collect()
}

/// How many lines each announcement says were lost.
pub(crate) fn announced(lines: &[Line]) -> Vec<u64> {
    let announcements = lines.iter().filter(|line| line["target"] == "redpane::logs");
    announcements
        .map(|line| {
            assert_eq!((line.str("level"), line.str("app")), ("WARN", "test"));
            line["lines"].as_u64().unwrap()
        })
        .collect()
}

/// `log_lines_dropped_total` for a reason.
pub(crate) fn dropped(telemetry: &Telemetry, reason: &str) -> u64 {
    samples(telemetry).value("log_lines_dropped_total", &[("reason", reason)]) as u64
}

/// `log_events_total` of all levels.
pub(crate) fn events(telemetry: &Telemetry) -> u64 {
    samples(telemetry).sum("log_events_total", &[]) as u64
}

fn samples(telemetry: &Telemetry) -> Samples {
    Samples::parse(&telemetry.render(ExpositionFormat::Text))
}
