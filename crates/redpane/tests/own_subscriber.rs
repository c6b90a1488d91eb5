//! A binary of its own, since the global subscriber and the `log` crate of its process are the application's.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::Request;
use redpane::{Redpane, parse_log_filter};
use test_support::{Line, Log};
use tower::ServiceExt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

const HOUR: Duration = Duration::from_secs(3600);

/// `try_init` bridges the `log` crate by itself, at the level that the filters have then.
#[tokio::test]
async fn records_of_the_log_crate_are_lines_and_their_level_follows_the_filter() {
    let log = Log::default();
    let telemetry = Redpane::new("own").log_writer(log.clone()).build().unwrap();
    tracing_subscriber::registry().with(telemetry.log_layer()).try_init().unwrap();
    let lines = |message: &str| -> Vec<Line> {
        telemetry.flush(Duration::from_secs(10)).unwrap();
        log.lines().into_iter().filter(|line| line["message"] == message).collect()
    };

    let handler = || async { log::warn!(target: "old::library", "an old library warns") };
    let router = telemetry.clone().instrument(Router::new().route("/", get(handler)));
    let response = router.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
    let line = lines("an old library warns").remove(0);
    assert_eq!([line.str("level"), line.str("target")], ["WARN", "old::library"], "{}", line.text);
    assert_eq!(line.str("trace_id"), response.headers()["x-trace-id"]);
    assert!(line.fields().iter().all(|(key, _)| !key.starts_with("log.")), "{}", line.text);

    log::debug!(target: "old::library", "below the filter");
    telemetry.set_log_filter(parse_log_filter("info,old=debug").unwrap(), HOUR).unwrap();
    log::debug!(target: "old::library", "wanted for a while");
    log::debug!(target: "new::library", "wanted by nobody");
    telemetry.set_log_filter(parse_log_filter("info,old=trace").unwrap(), HOUR).unwrap();
    log::trace!(target: "old::library", "and this");
    telemetry.restore_log_filter();
    log::debug!(target: "old::library", "below the filter");
    assert_eq!(["wanted for a while", "and this"].map(|message| lines(message).len()), [1, 1]);
    assert_eq!(["below the filter", "wanted by nobody"].map(|message| lines(message).len()), [0, 0]);
    assert_eq!(log::max_level(), log::LevelFilter::Info, "as it was");
}
