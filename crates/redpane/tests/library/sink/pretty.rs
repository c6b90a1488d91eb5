//! The form for people.

use redpane::LogFormat;
use test_support::Log;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt;

use super::support::{PATIENCE, small};

fn shown(log: impl FnOnce()) -> String {
    let written = Log::default();
    let telemetry = small(written.clone()).log_format(LogFormat::Pretty).build().unwrap();
    tracing::subscriber::with_default(Registry::default().with(telemetry.log_layer()), log);
    telemetry.flush(PATIENCE).unwrap();
    written.text()
}

#[test]
fn time_level_target_message_fields() {
    let line = shown(|| tracing::warn!(target: "shop", count = 3, name = "two words", "sold out"));
    let (time, rest) = line.split_at("03:04:05.006007".len());
    let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "00:00:00.000000");
    assert_eq!(rest, " WARN  test shop sold out count=3 name=\"two words\"\n");
}

#[test]
fn hostile_text_stays_one_line_and_does_not_steer_the_terminal() {
    const ORDER: &str = "\u{61c}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202e}\u{2066}\u{2069}";
    let hostile =
        "\u{61c}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202e}\u{2066}\u{2069}a\nb\u{1b}[31mred\u{9b}2J\u{7f}";
    let text = shown(|| tracing::info!(value = hostile, spaced = format!("x {hostile}"), "message {hostile}"));
    assert_eq!(text.lines().count(), 1, "{text:?}");
    assert!(!text.trim_end().contains(char::is_control), "{text:?}");
    assert!(!text.contains(|c| ORDER.contains(c)), "{text:?}");
    assert!(text.contains("\\u{202e}"), "{text:?}");
    assert!(text.contains("red") && text.contains("2J"), "{text:?}");
}
