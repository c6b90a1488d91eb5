//! The series limit, the scrape hooks, and scrapes that meet.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use axum::Router;
use axum::routing::get as route;
use http::{Method, StatusCode};
use redpane::{ExpositionFormat, Redpane};
use test_support::exposition::Exposition;
use test_support::{Log, until};

use super::support::{get, lines, quiet_log, scrape, send};

#[tokio::test]
async fn past_the_limit_samples_go_to_overflow_and_nothing_else_changes() {
    let log = Log::default();
    let redpane = Redpane::new("test").series_limit(4).log_failures_only(["/quiet"]).log_writer(log.clone());
    let telemetry = redpane.build().unwrap();
    let ok = || async { "ok" };
    let mut router = Router::new().route("/quiet", route(ok));
    for number in 0..20 {
        router = router.route(&format!("/r{number}"), route(ok));
    }
    let app = telemetry.clone().instrument(router);
    for number in 0..20 {
        let answer = get(&app, &format!("/r{number}")).await;
        assert_eq!((answer.status, answer.text()), (StatusCode::OK, "ok"));
        assert_eq!(answer.header("x-trace-id").len(), 32);
    }
    get(&app, "/quiet").await;
    send(&app, Method::POST, "/r0", &[]).await;
    let seen = Exposition::of(&telemetry.render(ExpositionFormat::Text), ExpositionFormat::Text);

    // /r0 and /r1 fill the four label sets with their statuses 200 and 500.
    let count = |method, route, status| {
        seen.value("http_requests_total", &[("method", method), ("route", route), ("status", status)])
    };
    assert_eq!((count("GET", "/r0", "200"), count("GET", "/r1", "200")), (Some(1.0), Some(1.0)));
    assert_eq!(count("GET", "/r2", "200"), None);
    assert_eq!(count("GET", "_overflow", "200"), Some(19.0));
    assert_eq!(count("GET", "_overflow", "500"), Some(0.0));
    assert_eq!(count("POST", "_overflow", "405"), Some(1.0));
    assert_eq!(seen.sum("http_requests_total"), 22.0);
    assert_eq!(seen.sum("http_request_duration_seconds_count"), 22.0);
    assert_eq!(seen.sum("http_request_size_bytes_count"), 22.0);
    assert_eq!(seen.sum("http_response_size_bytes_count"), 22.0);
    assert_eq!(seen.value("redpane_series_overflow_total", &[]), Some(20.0));
    assert_eq!(seen.value("redpane_series", &[]), Some(seen.samples("http_requests_total").len() as f64));

    let lines = lines(&log, &telemetry);
    let routes: Vec<_> = lines.iter().map(|line| line.str("route")).collect();
    let expected: Vec<_> = (0..20).map(|number| format!("/r{number}")).chain(["/r0".to_owned()]).collect();
    assert_eq!(routes, expected, "the line keeps the real route, and a quiet route stays quiet");
}

#[tokio::test]
async fn a_new_status_past_the_limit_overflows_alone() {
    let telemetry = quiet_log(Redpane::new("test").series_limit(2));
    let status =
        |axum::extract::Path(code): axum::extract::Path<u16>| async move { StatusCode::from_u16(code).unwrap() };
    let app = telemetry.clone().instrument(Router::new().route("/{code}", route(status)));
    for path in ["/200", "/418", "/500", "/200"] {
        get(&app, path).await;
    }
    let seen = Exposition::of(&telemetry.render(ExpositionFormat::OpenMetrics), ExpositionFormat::OpenMetrics);
    let count =
        |route, status| seen.value("http_requests_total", &[("method", "GET"), ("route", route), ("status", status)]);
    assert_eq!(count("/{code}", "200"), Some(2.0));
    assert_eq!(count("/{code}", "500"), Some(1.0));
    assert_eq!(count("/{code}", "418"), None);
    assert_eq!(count("_overflow", "418"), Some(1.0));
    assert_eq!(seen.value("redpane_series_overflow_total", &[]), Some(1.0));
}

#[tokio::test]
async fn hooks_run_before_each_scrape_with_the_recorder_of_their_telemetry() {
    let telemetry = quiet_log(Redpane::new("test"));
    let depth = Arc::new(AtomicU64::new(3));
    let shown = Arc::clone(&depth);
    telemetry.on_scrape(move || metrics::gauge!("queue_depth").set(shown.load(Ordering::Relaxed) as f64));
    let app = telemetry.clone().instrument(Router::new());
    assert_eq!(scrape(&app).await.value("queue_depth", &[]), Some(3.0));
    depth.store(8, Ordering::Relaxed);
    assert_eq!(scrape(&app).await.value("queue_depth", &[]), Some(8.0));
    let rendered = Exposition::of(&telemetry.render(ExpositionFormat::Text), ExpositionFormat::Text);
    assert_eq!(rendered.value("queue_depth", &[]), Some(8.0));
}

#[tokio::test]
async fn a_hook_that_panics_fails_its_scrape_and_not_the_next() {
    let log = Log::default();
    let telemetry = Redpane::new("test").log_writer(log.clone()).build().unwrap();
    let calls = AtomicUsize::new(0);
    telemetry.on_scrape(move || assert!(calls.fetch_add(1, Ordering::Relaxed) > 0, "the hook broke"));
    let app = telemetry.clone().instrument(Router::new());
    let failed = get(&app, "/metrics").await;
    assert_eq!(failed.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(failed.header("content-type"), "application/problem+json");
    scrape(&app).await;
    let lines = lines(&log, &telemetry);
    assert!(lines.iter().any(|line| line["message"] == "the hook broke" && line["target"] == "redpane::panic"));
    assert!(
        lines.iter().any(|line| line.is_access() && line["path"] == "/metrics" && line["status"] == 500),
        "a failed scrape has a line"
    );
    assert_eq!(telemetry.in_flight(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scrapes_that_meet_run_one_after_the_other_and_are_all_answered() {
    let telemetry = quiet_log(Redpane::new("test"));
    let (inside, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (entering, highest) = (Arc::clone(&inside), Arc::clone(&most));
    let (go_on, told) = mpsc::channel::<()>();
    let told = Mutex::new(told);
    telemetry.on_scrape(move || {
        highest.fetch_max(entering.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        // Stays inside until the test drops its end.
        let _ = told.lock().unwrap().recv();
        entering.fetch_sub(1, Ordering::SeqCst);
    });
    let app = telemetry.clone().instrument(Router::new());
    let scrapes: Vec<_> = (0..4)
        .map(|_| {
            let app = app.clone();
            tokio::spawn(async move { get(&app, "/metrics").await })
        })
        .collect();
    // One scraper gives up while it waits or renders, which it does until it is told to go on; the others get their turn.
    let leaving = app.clone();
    let gone = tokio::time::timeout(Duration::from_millis(10), get(&leaving, "/metrics")).await;
    assert!(gone.is_err());
    until("a scrape is inside", || (inside.load(Ordering::SeqCst) > 0).then_some(())).await;
    drop(go_on);
    for scrape in scrapes {
        let answer = scrape.await.unwrap();
        assert_eq!(answer.status, StatusCode::OK);
        Exposition::of(answer.text(), ExpositionFormat::Text);
    }
    assert_eq!(most.load(Ordering::SeqCst), 1);
}
