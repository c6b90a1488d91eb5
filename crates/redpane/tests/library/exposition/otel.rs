//! The HTTP metrics under the names of OpenTelemetry's conventions.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::routing::{any, get};
use http::{Request, StatusCode};
use redpane::{ExpositionFormat, MetricNames, Redpane};
use test_support::exposition::Exposition;
use test_support::{Observed, Samples};
use tower::ServiceExt;

const DURATIONS: &str = "http_server_request_duration_seconds_count";
const BUCKETS: &str = "http_server_request_duration_seconds_bucket";

/// An application that was asked, over `https` too as HTTP/2 says it.
async fn asked(options: impl FnOnce(Redpane) -> Redpane) -> Observed {
    let observed = Observed::with(options);
    let failing = || async { StatusCode::SERVICE_UNAVAILABLE };
    let router = Router::new()
        .route("/hello/{name}", get(|| async { "hello" }))
        .route("/failing", any(failing))
        .route("/pending", get(|| async { std::future::pending::<&str>().await }));
    let router = observed.telemetry.clone().instrument(router);
    for (method, target) in [
        ("GET", "/hello/ada"),
        ("GET", "/hello/alan"),
        ("GET", "https://shop.example/hello/ada"),
        ("QUERY", "/failing"),
        ("GET", "/nowhere"),
    ] {
        let request = Request::builder().method(method).uri(target).body(Body::empty()).unwrap();
        to_bytes(router.clone().oneshot(request).await.unwrap().into_body(), usize::MAX).await.unwrap();
    }
    let left = router.oneshot(Request::get("/pending").body(Body::empty()).unwrap());
    tokio::time::timeout(std::time::Duration::from_millis(1), left).await.unwrap_err();
    observed
}

fn names(samples: &Samples) -> [bool; 2] {
    ["http_requests_total", DURATIONS].map(|name| samples.of(name, &[]).next().is_some())
}

#[tokio::test]
async fn labels_and_bounds_are_those_of_the_conventions() {
    let observed = asked(|redpane| redpane.metric_names(MetricNames::Otel)).await;
    let samples = observed.samples();
    assert_eq!(names(&samples), [false, true]);
    let count = |labels: &[(&str, &str)]| samples.sum(DURATIONS, labels);
    let hello = [("http_request_method", "GET"), ("http_route", "/hello/{name}"), ("http_response_status_code", "200")];
    assert_eq!(count(&[hello[0], hello[1], hello[2], ("url_scheme", "http")]), 2.0);
    assert_eq!(count(&[hello[0], hello[1], hello[2], ("url_scheme", "https")]), 1.0);
    let failed = [("http_request_method", "QUERY"), ("http_response_status_code", "503"), ("error_type", "503")];
    assert_eq!(count(&[failed[0], failed[1], failed[2], ("http_route", "/failing")]), 1.0);
    assert_eq!(count(&[("http_route", "/pending"), ("error_type", "aborted")]), 1.0);
    assert_eq!(count(&[("http_response_status_code", "499")]), 0.0, "it was not sent");
    assert_eq!(count(&[("http_response_status_code", "404")]), 1.0);
    assert_eq!(count(&[("http_route", "unmatched")]), 0.0, "no route is no label");
    assert_eq!(samples.of(BUCKETS, &hello).count(), 2 * 15, "14 bounds and +Inf for each scheme");
    for bound in ["0.005", "0.075", "0.75", "7.5"] {
        assert!(samples.of(BUCKETS, &[("le", bound)]).next().is_some(), "{bound}");
    }
    assert_eq!(samples.sum(BUCKETS, &[("le", "+Inf")]), 6.0);
    assert_eq!(samples.value("http_server_active_requests", &[]), 0.0);
    assert_eq!(samples.sum("http_server_response_body_size_bytes_sum", &[("http_route", "/hello/{name}")]), 15.0);
    assert_eq!(samples.sum("target_info", &[("service_name", "test"), ("telemetry_sdk_name", "redpane")]), 1.0);
    let open_metrics = observed.telemetry.render(ExpositionFormat::OpenMetrics);
    Exposition::of(&open_metrics, ExpositionFormat::OpenMetrics);
    assert!(
        open_metrics.lines().any(|line| line.starts_with(BUCKETS) && line.contains("# {trace_id=")),
        "{open_metrics}"
    );
}

#[tokio::test]
async fn both_say_the_same_and_redpanes_own_do_not_tell_schemes() {
    let both = asked(|redpane| redpane.metric_names(MetricNames::Both)).await;
    let samples = both.samples();
    assert_eq!(names(&samples), [true, true]);
    assert_eq!(samples.sum("http_requests_total", &[]), samples.sum(DURATIONS, &[]));
    let hello = [("route", "/hello/{name}"), ("status", "200")];
    assert_eq!(samples.value("http_requests_total", &hello), 3.0);
    assert_eq!(samples.value("http_request_duration_seconds_count", &hello), 3.0);
    assert_eq!(samples.value("http_response_size_bytes_sum", &[("method", "GET"), hello[0]]), 15.0);
    // The default's own bounds, and nothing else, are what the default shows.
    let alone = asked(|redpane| redpane).await.samples();
    assert_eq!(names(&alone), [true, false]);
    let buckets = |samples: &Samples| samples.of("http_request_duration_seconds_bucket", &hello).count();
    assert_eq!((buckets(&samples), buckets(&alone)), (17, 17));
    for format in [ExpositionFormat::Text, ExpositionFormat::OpenMetrics] {
        Exposition::of(&both.telemetry.render(format), format);
    }
}

/// Whoever has them already from somewhere else keeps them, unless redpane shows them.
#[tokio::test]
async fn the_names_are_taken_while_they_are_shown() {
    for (names, taken) in [(MetricNames::Redpane, false), (MetricNames::Both, true)] {
        let observed = Observed::with(|redpane| redpane.metric_names(names));
        metrics::with_local_recorder(&observed.telemetry.recorder(), || metrics::counter!("target_info").increment(7));
        assert_eq!(observed.samples().sum("target_info", &[]) == 7.0, !taken);
    }
}
