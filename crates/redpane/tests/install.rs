//! A binary of its own, since an installation changes all of its process and cannot be undone: `tracing`, `log`, `metrics`,
//! panics.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::cell::Cell;
use std::fmt;
use std::io;
use std::sync::LazyLock;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::Request;
use redpane::{ExpositionFormat, InstallError, Redpane, Telemetry};
use serde_json::json;
use test_support::{Line, Log, block_until};
use tower::ServiceExt;

static INSTALLED: LazyLock<(Telemetry, Log)> = LazyLock::new(|| {
    let log = Log::default();
    let redpane = Redpane::new("installed").log_writer(log.clone()).promote_span_fields(["tenant"]);
    let telemetry = redpane.install().expect("nothing is installed yet");
    (telemetry, log)
});

/// The lines with this message.
fn lines(message: &str) -> Vec<Line> {
    let (telemetry, log) = &*INSTALLED;
    telemetry.flush(Duration::from_secs(10)).unwrap();
    log.lines().into_iter().filter(|line| line["message"] == message).collect()
}

fn only_line(message: &str) -> Line {
    let mut found = lines(message);
    assert_eq!(found.len(), 1, "{found:#?}");
    found.remove(0)
}

/// Runs a handler in a request; gives the trace id of its answer.
async fn request(router: Router) -> String {
    let router = INSTALLED.0.clone().instrument(router);
    let response = router.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
    response.headers()["x-trace-id"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn records_of_the_log_crate_are_lines_with_the_ids_of_their_request() {
    let handler = || async { log::warn!(target: "old::library", "an old library warns") };
    let trace_id = request(Router::new().route("/", get(handler))).await;
    let line = only_line("an old library warns");
    assert_eq!(
        (&line["level"], &line["target"], &line["trace_id"]),
        (&"WARN".into(), &"old::library".into(), &trace_id.into())
    );
    assert!(line.fields().iter().all(|(key, _)| !key.starts_with("log.")), "{}", line.text);
    log::debug!("below the filter");
    log::info!("outside of a request");
    assert!(only_line("outside of a request")["trace_id"].is_null());
    assert!(lines("below the filter").is_empty());
}

#[tokio::test]
async fn events_and_metrics_anywhere_in_the_process() {
    let handler = || async { tracing::info!("inside") };
    let trace_id = request(Router::new().route("/", get(handler))).await;
    assert_eq!(only_line("inside")["trace_id"], trace_id);
    std::thread::spawn(|| {
        tracing::info!("on a thread");
        metrics::counter!("thread_total").increment(1);
    })
    .join()
    .unwrap();
    assert!(only_line("on a thread")["trace_id"].is_null());
    assert!(INSTALLED.0.render(ExpositionFormat::Text).contains("\nthread_total 1\n"));
}

#[test]
fn a_panic_outside_of_a_request_is_a_line() {
    LazyLock::force(&INSTALLED);
    let thread = std::thread::Builder::new().name("worker".into()).spawn(|| fall_over("the worker falls over"));
    thread.unwrap().join().unwrap_err();
    let line = only_line("the worker falls over");
    assert!(line["trace_id"].is_null());
    assert_eq!((&line["target"], &line["thread"]), (&"redpane::panic".into(), &"worker".into()));
    assert!(line.str("location").contains("install.rs:"));
    assert!(line.str("backtrace").contains("fall_over"), "{}", line.text);
}

/// A frame of its own in optimized builds too, so that a backtrace has something to name.
#[inline(never)]
fn fall_over(why: &str) {
    panic!("{why}")
}

#[test]
fn a_second_installation_is_refused_and_says_what_to_do() {
    LazyLock::force(&INSTALLED);
    let refused = Redpane::new("second").log_writer(io::sink()).install();
    let error = refused.expect_err("there is a first");
    assert!(matches!(&error, InstallError::Installed { app } if app == "installed"), "{error:?}");
    assert!(error.to_string().contains("try_install"), "{error}");
    let refused = Redpane::new("third").series_limit(0).install().expect_err("an option is bad");
    assert!(matches!(refused, InstallError::Config(_)));
}

#[test]
fn installing_may_be_tried_again() {
    LazyLock::force(&INSTALLED);
    let again = Redpane::new("installed").log_writer(io::sink()).try_install().expect("it is the same app");
    metrics::counter!("tried_again_total").increment(1);
    assert!(again.render(ExpositionFormat::Text).contains("\ntried_again_total 1\n"), "it is the installed telemetry");
    let other = Redpane::new("other").log_writer(io::sink()).try_install().unwrap_err();
    assert!(matches!(&other, InstallError::Installed { app } if app == "installed"), "{other:?}");
    assert!(other.to_string().contains("\"installed\""), "{other}");
}

struct LogsAtTheEnd(Cell<u8>);

impl Drop for LogsAtTheEnd {
    fn drop(&mut self) {
        tracing::info!("the thread ends");
    }
}

/// Thread-locals are destroyed in an order that nobody chooses: one that logs may outlive those that logging uses.
#[test]
fn a_line_from_a_thread_that_is_ending() {
    thread_local! {
        static LAST: LogsAtTheEnd = const { LogsAtTheEnd(Cell::new(0)) };
    }
    LazyLock::force(&INSTALLED);
    let thread = std::thread::spawn(|| {
        // Made before those of the log, hence destroyed after them.
        LAST.with(|last| last.0.set(1));
        tracing::info!("the thread begins");
    });
    thread.join().unwrap();
    only_line("the thread begins");
    assert!(only_line("the thread ends")["trace_id"].is_null());
}

#[tokio::test]
async fn fields_of_spans_are_promoted() {
    let handler = || async {
        // Also where the value logs while it is formatted, and where the log filter leaves the span out.
        let span = tracing::debug_span!("promoted", tenant = ?Talkative);
        span.in_scope(|| _ = span.record("tenant", "acme"));
    };
    let trace_id = request(Router::new().route("/", get(handler))).await;
    let found = lines("request");
    let line = found.iter().find(|line| line["trace_id"] == trace_id.as_str()).unwrap();
    assert_eq!(line["tenant"], "acme", "{}", line.text);
}

/// Logs while it is being formatted.
struct Talkative;

impl fmt::Debug for Talkative {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        tracing::info!("formatting");
        f.write_str("formatted")
    }
}

#[test]
fn a_value_that_logs_while_it_is_formatted() {
    LazyLock::force(&INSTALLED);
    let thread = std::thread::spawn(|| {
        tracing::info!(value = ?Talkative, "an event");
        let span = tracing::info_span!("a span", value = ?Talkative, later = tracing::field::Empty);
        let _entered = span.enter();
        span.record("later", tracing::field::debug(Talkative));
        tracing::info!("in the span");
    });
    // Unless there is a deadlock.
    block_until("the thread ends", || thread.is_finished());
    let outside = lines("formatting").into_iter().filter(|line| line["trace_id"].is_null());
    assert_eq!(outside.count(), 3);
    assert_eq!(only_line("an event")["value"], "formatted");
    let span = json!({"name": "a span", "value": "formatted", "later": "formatted"});
    assert_eq!(only_line("in the span")["spans"], json!([span]));
}
