//! A machine that starts with a clock of 1969, as one without a battery may.

use std::process::Command;

use test_support::process::{Reading, listening};
use test_support::{Samples, client, find_program};

use super::{bare, redpane};

/// The real service, for which it is that time. `None` where `faketime` is missing.
fn redpane_at(time: &str) -> Option<Command> {
    let faketime = find_program("faketime")?;
    // A process of its own stands between it and what it runs, and gets the signals: so it only says how it does it.
    let told = Command::new(faketime).args(["-f", time, "env"]).output().unwrap();
    let told = String::from_utf8(told.stdout).unwrap();
    let variables = told.lines().filter_map(|line| line.split_once('='));
    let variables = variables.filter(|(name, _)| ["FAKETIME", "LD_PRELOAD"].contains(name));
    // Spans are made, and lost: nobody is at that port. Deadlines are not what this is about.
    let others = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        // It takes the time as that of this place.
        ("TZ", "UTC0"),
    ];
    Some(redpane(&[], &variables.chain(others).collect::<Vec<_>>()))
}

#[tokio::test]
async fn requests_are_answered_without_a_date_while_the_clock_is_before_1970() {
    let Some(service) = redpane_at("@1969-07-20 20:17:40") else { return };
    let (mut process, address) = listening(service, Reading::AsItComes).await;
    for answer in
        [client::get(address, "/hello/ada").await, client::send_http2(address, bare("GET", "/hello/ada")).await]
    {
        assert_eq!((answer.status.as_u16(), answer.headers.get("date")), (200, None));
    }
    let samples = Samples::parse(client::get(address, "/metrics").await.text());
    let counted = samples.value("http_requests_total", &[("route", "/hello/{name}"), ("status", "200")]);
    assert_eq!(counted, 2.0);
    process.signal("TERM");
    assert_eq!(process.exit_code().await, 0, "{}", process.errors());
    let lines = process.lines();
    let warning = lines.iter().find(|line| line.str("message").contains("before 1970")).unwrap();
    assert_eq!(warning.str("level"), "WARN");
    assert_eq!(lines.iter().filter(|line| line.str("message") == "request").count(), 2);
    assert!(lines.iter().all(|line| line.str("timestamp").starts_with("1970-01-01T00:00:00")), "{lines:?}");
}

#[tokio::test]
async fn answers_are_dated_from_1970_on() {
    let Some(service) = redpane_at("@1970-01-01 00:00:09") else { return };
    let (_process, address) = listening(service, Reading::AsItComes).await;
    for answer in [client::get(address, "/").await, client::send_http2(address, bare("GET", "/")).await] {
        let date = answer.header("date");
        assert!(date.starts_with("Thu, 01 Jan 1970 00:00:") && date.ends_with(" GMT"), "{date}");
    }
}

/// A patch that does not fit any more, because a newer version was published, is a warning of cargo only.
#[test]
fn the_crate_that_panics_is_not_in_this_program() {
    let lock = include_str!("../../Cargo.lock");
    let packages: Vec<_> = lock.split("[[package]]").filter(|entry| entry.contains("name = \"httpdate\"\n")).collect();
    assert!(matches!(packages[..], [package] if !package.contains("source = ")), "{packages:?}");
}
