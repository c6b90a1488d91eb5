//! Whatever comes in: `traceparent` headers against the rules of the standard, and log lines against a JSON parser.

use std::time::Duration;

use proptest::prelude::*;
use redpane::{Redpane, Telemetry, TraceParent};
use serde_json::Value;
use test_support::trace_context::read_traceparent;
use test_support::{Line, Log};
use tracing_subscriber::Registry;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;

fn near_valid() -> impl Strategy<Value = Vec<u8>> {
    let version =
        prop_oneof![3 => Just("00"), 1 => prop::sample::select(vec!["ff", "01", "cc", "fe", "0A", "0", "000", ""])];
    let trace =
        prop_oneof![4 => "[0-9a-f]{32}", 1 => "[0-9a-fA-F]{31,33}", 1 => Just("0".repeat(32)), 1 => "0{31}[0-9a-g]"];
    let parent =
        prop_oneof![4 => "[0-9a-f]{16}", 1 => "[0-9a-fA-F]{15,17}", 1 => Just("0".repeat(16)), 1 => "0{15}[0-9a-g]"];
    let flags = prop_oneof![4 => "[0-9a-f]{2}", 1 => "[0-9A-Fg]{1,3}"];
    let tail = prop_oneof![4 => Just(String::new()), 1 => Just("-".into()), 1 => "-.{0,5}", 1 => ".{1,3}"];
    let change = prop::option::weighted(0.3, (any::<prop::sample::Index>(), any::<u8>(), 0..3));
    (version, trace, parent, flags, tail, change).prop_map(|(version, trace, parent, flags, tail, change)| {
        let mut header = format!("{version}-{trace}-{parent}-{flags}{tail}").into_bytes();
        if let Some((at, byte, how)) = change {
            let at = at.index(header.len());
            match how {
                0 => header[at] = byte,
                1 => header.insert(at, byte),
                _ => drop(header.remove(at)),
            }
        }
        header
    })
}

/// The one line that `log` makes.
fn line(log: impl FnOnce()) -> Line {
    let written = Log::default();
    let everything = Targets::new().with_default(LevelFilter::TRACE);
    let telemetry: Telemetry =
        Redpane::new("te\"st").log_filter(everything).log_writer(written.clone()).build().unwrap();
    tracing::subscriber::with_default(Registry::default().with(telemetry.log_layer()), log);
    telemetry.flush(Duration::from_secs(60)).unwrap();
    let mut lines = written.lines();
    assert_eq!(lines.len(), 1);
    lines.remove(0)
}

fn any_float() -> impl Strategy<Value = f64> {
    prop_oneof![any::<f64>(), any::<u64>().prop_map(f64::from_bits), Just(f64::INFINITY), Just(f64::NEG_INFINITY)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn traceparent_follows_the_standard(header in near_valid()) {
        let read = TraceParent::from_header(&header);
        let read = read.map(|parent| (parent.trace_id.to_string(), parent.parent_id.to_string(), parent.flags));
        prop_assert_eq!(read, read_traceparent(&header), "{}", String::from_utf8_lossy(&header));
    }

    #[test]
    fn traceparent_of_any_bytes_follows_the_standard(header: Vec<u8>) {
        prop_assert_eq!(TraceParent::from_header(&header).is_some(), read_traceparent(&header).is_some());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn strings_come_back(text: String, other: String) {
        let seen = line(|| tracing::info!(text, shown = %other, debug = ?other, error = &*Box::<dyn std::error::Error>::from(other.clone()), "{other}"));
        prop_assert_eq!(&seen["text"], &text);
        prop_assert_eq!(&seen["message"], &other);
        prop_assert_eq!(&seen["shown"], &other);
        prop_assert_eq!(&seen["error"], &other);
        prop_assert_eq!(&seen["debug"], &format!("{other:?}"));
        prop_assert_eq!(&seen["app"], "te\"st");
    }

    #[test]
    fn numbers_come_back(signed: i64, unsigned: u64, wide: u128, negative: i128, yes: bool) {
        let seen = line(|| tracing::info!(signed, unsigned, wide, negative, yes));
        prop_assert_eq!(&seen["message"], "");
        prop_assert_eq!(&seen["signed"], &Value::from(signed));
        prop_assert_eq!(&seen["unsigned"], &Value::from(unsigned));
        prop_assert_eq!(&seen["yes"], &Value::from(yes));
        // A number up to 64 bits, else a text: nothing is rounded.
        let exact = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        prop_assert_eq!(exact(&seen["wide"]), wide.to_string());
        prop_assert_eq!(exact(&seen["negative"]), negative.to_string());
    }

    #[test]
    fn floats_come_back(value in any_float()) {
        let line = line(|| tracing::info!(value));
        // Read by the standard library, since serde_json may be off by the last bit.
        let shown = line.text.split_once("\"value\":").unwrap().1.trim_end_matches('}');
        match value {
            nan if nan.is_nan() => prop_assert_eq!(shown, "\"NaN\""),
            f64::INFINITY => prop_assert_eq!(shown, "\"+Inf\""),
            f64::NEG_INFINITY => prop_assert_eq!(shown, "\"-Inf\""),
            finite => prop_assert_eq!(shown.parse(), Ok(finite)),
        }
    }

    #[test]
    fn bytes_make_a_valid_line(bytes: Vec<u8>) {
        let seen = line(|| tracing::info!(bytes = &bytes[..], lossy = %String::from_utf8_lossy(&bytes)));
        prop_assert!(seen["bytes"].is_string());
        prop_assert_eq!(&seen["lossy"], &*String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn long_values_are_cut_visibly_and_the_line_is_bounded(text in "[a\u{0}é\"]{1,8}", times in 500_usize..20_000) {
        let long = text.repeat(times);
        let seen = line(|| tracing::info!(one = long, two = %long, three = ?long, "{long}"));
        let message = seen["message"].as_str().unwrap();
        let kept = message.trim_end_matches("…[cut]");
        prop_assert!(long.starts_with(kept));
        prop_assert_eq!(kept.len() < long.len(), message.ends_with("…[cut]"));
        let left_out = seen.get("fields_left_out").map_or(0, |count| count.as_u64().unwrap());
        let shown = ["one", "two", "three"].iter().filter(|key| seen.get(key).is_some()).count();
        prop_assert_eq!(shown as u64 + left_out, 3);
    }

    #[test]
    fn reserved_keys_are_never_doubled(value: String) {
        let seen = line(|| {
            tracing::info!(timestamp = value, level = 1, app = 2, trace_id = 3, span_id = 4, target = 5, spans = 6, field.level = 7, a = 8, a = 9, "said")
        });
        prop_assert_eq!(&seen["field.timestamp"], &value);
        prop_assert_eq!(&seen["message"], "said");
        prop_assert_eq!(&seen["level"], "INFO");
        for (number, key) in (1..).zip(["field.level", "field.app", "field.trace_id", "field.span_id", "field.target", "field.spans"]) {
            prop_assert_eq!(&seen[key], &Value::from(number), "{}", key);
        }
        prop_assert_eq!(&seen["field.field.level"], 7);
        prop_assert_eq!((&seen["a"], &seen["field.a"]), (&Value::from(8), &Value::from(9)));
    }

    #[test]
    fn spans_show_their_latest_fields(first: String, later: String, number: i64) {
        let seen = line(|| {
            let outer = tracing::info_span!("outer", first, late = tracing::field::Empty);
            outer.record("late", &*later);
            outer.in_scope(|| {
                let _inner = tracing::debug_span!("inner", name = number).entered();
                tracing::info!("inside");
            });
        });
        let expected = serde_json::json!([
            {"name": "outer", "first": first, "late": later},
            {"name": "inner", "field.name": number},
        ]);
        prop_assert_eq!(&seen["spans"], &expected);
    }
}
