//! The log filter at run time: by the method of the telemetry, and by the pane.

use std::time::Duration;

use http::Method;
use redpane::{LogFilterError, parse_log_filter};
use serde_json::Value;
use test_support::client::{self, Answer};
use test_support::{Observed, until};
use tracing_subscriber::layer::SubscriberExt;

use super::{Shown, problem, request};

const JSON: [(&str, &str); 2] = [("host", "localhost"), ("content-type", "application/json")];

async fn put(shown: &Shown, body: &'static str) -> Answer {
    client::send(shown.pane, request(Method::PUT, "/api/log-filter", &JSON, body)).await
}

/// Whether a debug event becomes a line now.
fn logs_debug(observed: &Observed) -> bool {
    let count = || observed.lines().iter().filter(|line| line["message"] == "a detail").count();
    let before = count();
    tracing::debug!("a detail");
    count() > before
}

#[tokio::test]
async fn another_filter_comes_goes_and_is_told() {
    let shown = Shown::new().await;
    let subscriber = tracing_subscriber::registry().with(shown.observed.telemetry.log_layer());
    let _guard = tracing::subscriber::set_default(subscriber);
    assert!(!logs_debug(&shown.observed));
    let answer = put(&shown, r#"{"directives":"debug,redpane::access=off","for":"10m"}"#).await;
    let state: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!((answer.status.as_u16(), &state["configured"]), (200, &"info".into()), "{state}");
    assert!(state["until_ms"].is_u64() && state["directives"].as_str().unwrap().contains("debug"), "{state}");
    assert!(logs_debug(&shown.observed));
    shown.requests("/status/200", 1).await;
    assert!(!shown.observed.lines().iter().any(test_support::Line::is_access), "access lines obey");

    let answer = client::send(shown.pane, request(Method::DELETE, "/api/log-filter", &JSON[..1], "")).await;
    let state: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(
        state,
        serde_json::json!({"directives": "info", "configured": "info", "events": true, "until_ms": null})
    );
    assert!(!logs_debug(&shown.observed));
    shown.requests("/status/200", 1).await;
    let lines = shown.observed.lines();
    let told: Vec<_> =
        lines.iter().filter(|line| line["target"] == "redpane::logs").map(|line| line.str("message")).collect();
    assert_eq!(told, ["the log filter was changed", "the configured log filter is back"]);
    assert_eq!(lines.iter().filter(|line| line.is_access()).count(), 1);
}

#[tokio::test]
async fn it_says_whether_events_of_the_application_arrive() {
    let shown = Shown::new().await;
    let arrive = async || {
        let answer = shown.get("/api/log-filter").await;
        serde_json::from_slice::<Value>(&answer.body).unwrap()["events"].clone()
    };
    assert_eq!(arrive().await, false, "nothing was installed, and no subscriber has the layer");
    let _subscriber = tracing_subscriber::registry().with(shown.observed.telemetry.log_layer());
    assert_eq!(arrive().await, true);
}

#[tokio::test]
async fn it_comes_back_by_itself_and_a_later_one_replaces_it() {
    let observed = Observed::new();
    let set = |directives, time| observed.telemetry.set_log_filter(parse_log_filter(directives).unwrap(), time);
    set("off", Duration::from_millis(50)).unwrap();
    until("the configured filter is back", || {
        observed.lines().iter().any(|line| line["message"] == "the configured log filter is back").then_some(())
    })
    .await;
    set("off", Duration::from_millis(50)).unwrap();
    set("trace", Duration::from_secs(3600)).unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let back = |line: &test_support::Line| line["message"] == "the configured log filter is back";
    assert_eq!(
        observed.lines().iter().filter(|line| back(line)).count(),
        1,
        "the first one's time was no longer of interest"
    );
    for time in [Duration::ZERO, Duration::from_secs(86_401)] {
        assert!(matches!(set("info", time), Err(LogFilterError::Time(named)) if named == time));
    }
}

/// Whoever reads the log knows which filter holds: the lines are in the order of the changes, whoever made them.
#[test]
fn the_lines_about_the_filter_are_in_its_order() {
    let observed = Observed::new();
    let change = || {
        for _ in 0..100 {
            let directives = parse_log_filter("debug").unwrap();
            observed.telemetry.set_log_filter(directives, Duration::from_secs(3600)).unwrap();
            observed.telemetry.restore_log_filter();
        }
    };
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(change);
        }
    });
    observed.telemetry.flush(Duration::from_secs(10)).unwrap();
    let lines = observed.lines();
    let told: Vec<bool> = lines.iter().map(|line| line["message"] == "the log filter was changed").collect();
    assert_eq!(told.iter().filter(|changed| **changed).count(), 400);
    let is_back_twice = |pair: &[bool]| !pair[0] && !pair[1];
    assert!(told[0] && !told.windows(2).any(is_back_twice), "what was not changed does not come back");
    assert_eq!(told.last(), Some(&false), "each thread ends with the configured filter");
}

#[tokio::test]
async fn what_cannot_be_used_is_named() {
    let shown = Shown::new().await;
    for (body, status, detail) in [
        (r#"{"directives":"inof","for":"10m"}"#, 422, "\"inof\" is neither a level"),
        (
            r#"{"directives":"debug","for":"25h"}"#,
            422,
            "for is \"25h\": must be a duration with its unit from 1s to 24h",
        ),
        (r#"{"directives":"debug","for":"10"}"#, 422, "for is \"10\""),
        (r#"{"directives":"debug"}"#, 422, "missing field `for`"),
        (r#"{"directives":"debug","for":"1m","x":1}"#, 422, "unknown field `x`"),
        ("debug", 400, "the body is no JSON"),
    ] {
        let found = problem(&put(&shown, body).await, status);
        assert!(found.contains(detail), "{body}: {found}");
    }
    let plain = request(Method::PUT, "/api/log-filter", &JSON[..1], "{}");
    assert!(problem(&client::send(shown.pane, plain).await, 415).contains("application/json"));
    let large = Box::leak(format!("{{\"directives\":\"{}\"}}", "a".repeat(9000)).into_boxed_str());
    assert!(problem(&put(&shown, large).await, 413).contains("8192"));
}
