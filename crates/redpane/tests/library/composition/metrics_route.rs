//! Where the metrics are served.

use std::panic::{AssertUnwindSafe, catch_unwind};

use axum::Router;
use axum::routing::get;
use http::StatusCode;
use test_support::{Observed, Samples, client, serve};

use super::hello;

#[tokio::test]
async fn on_a_path_of_ones_own() {
    let observed = Observed::with(|redpane| redpane.metrics_path("/internal/metrics"));
    let address = observed.serve(hello()).await;
    client::get(address, "/hello/ada").await;
    assert_eq!(client::get(address, "/metrics").await.status, StatusCode::NOT_FOUND);
    let answer = client::get(address, "/internal/metrics").await;
    let hello = [("method", "GET"), ("route", "/hello/{name}"), ("status", "200")];
    assert_eq!(Samples::parse(answer.text()).value("http_requests_total", &hello), 1.0);
    observed.finished(3).await;
    let routes: Vec<_> = observed.lines().iter().map(|line| line.str("route").to_owned()).collect();
    assert_eq!(routes, ["/hello/{name}", "unmatched"], "the scrape is quiet under its own path too");
}

#[tokio::test]
async fn on_a_second_listener() {
    let observed = Observed::with(redpane::Redpane::without_metrics_route);
    let (public, internal) = (observed.serve(hello()).await, serve(observed.telemetry.metrics_router()).await);
    assert_eq!(client::get(public, "/hello/ada").await.status, StatusCode::OK);
    assert_eq!(client::get(public, "/metrics").await.status, StatusCode::NOT_FOUND);
    assert_eq!(client::get(internal, "/hello/ada").await.status, StatusCode::NOT_FOUND);
    let answer = client::get(internal, "/metrics").await;
    let samples = Samples::parse(answer.text());
    let counted = [("GET /hello/{name} 200".into(), 1.0), ("GET unmatched 404".into(), 2.0)];
    assert_eq!(samples.requests(), counted, "one telemetry for both listeners");
    assert_eq!(samples.value("http_requests_in_flight", &[]), 0.0, "the scrape does not see itself");
    observed.finished(4).await;
}

#[tokio::test]
async fn a_route_of_the_application_at_the_same_path() {
    let observed = Observed::new();
    let taken: Router = Router::new().route("/metrics", get(|| async { "mine" }));
    let panic = catch_unwind(AssertUnwindSafe(|| observed.telemetry.clone().instrument(taken))).unwrap_err();
    let message = panic.downcast_ref::<String>().expect("a text");
    assert!(message.contains("/metrics") && message.contains("Overlapping"), "{message}");
}

#[tokio::test]
async fn a_wildcard_of_the_application_does_not_hide_it() {
    let observed = Observed::new();
    let router = Router::new().route("/{*anything}", get(|| async { "mine" }));
    let address = observed.serve(router).await;
    assert!(client::get(address, "/metrics").await.text().contains("http_requests_in_flight 0"));
    assert_eq!(client::get(address, "/other").await.text(), "mine");
    observed.finished(2).await;
}

#[test]
fn bad_options_are_all_named_at_once() {
    let build = redpane::Redpane::new("test").metrics_path("no-slash").series_limit(0).nested_service("/a/{b}").build();
    let message = build.unwrap_err().to_string();
    for part in ["metrics_path(\"no-slash\")", "series_limit(0)", "nested_service(\"/a/{b}\")"] {
        assert!(message.contains(part), "{part} is missing in: {message}");
    }
    let panic = catch_unwind(|| redpane::Redpane::new("test").series_limit(0).instrument(Router::<()>::new()));
    let message = panic.unwrap_err();
    assert!(message.downcast_ref::<String>().unwrap().contains("series_limit(0)"));
}
