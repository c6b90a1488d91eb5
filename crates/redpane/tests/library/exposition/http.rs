//! `GET /metrics` as a scraper sees it.

use std::io::Read;

use axum::Router;
use axum::routing::get as route;
use http::{Method, StatusCode};
use redpane::{ExpositionFormat, Redpane};
use test_support::Log;
use test_support::exposition::{Exposition, Sample};

use super::support::{OPEN_METRICS, get, lines, quiet_log, scrape, send};

fn hello() -> Router {
    Router::new().route("/hello/{name}", route(|| async { "hello" }))
}

#[tokio::test]
async fn both_formats_say_what_they_are_and_the_same() {
    let telemetry = quiet_log(Redpane::new("test"));
    let app = telemetry.clone().instrument(hello());
    get(&app, "/hello/you").await;
    let text = get(&app, "/metrics").await;
    assert_eq!(text.status, StatusCode::OK);
    assert_eq!(text.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert_eq!(text.header("vary").to_lowercase(), "accept, accept-encoding");
    assert_eq!(text.header("content-encoding"), "");
    let open_metrics = send(&app, Method::GET, "/metrics", &[("accept", OPEN_METRICS)]).await;
    assert_eq!(open_metrics.header("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert_eq!(open_metrics.header("vary").to_lowercase(), "accept, accept-encoding");

    let text = Exposition::of(&telemetry.render(ExpositionFormat::Text), ExpositionFormat::Text);
    let open_metrics = Exposition::of(&telemetry.render(ExpositionFormat::OpenMetrics), ExpositionFormat::OpenMetrics);
    assert_eq!(text.families.len(), open_metrics.families.len());
    for (one, other) in text.families.iter().zip(&open_metrics.families) {
        assert_eq!(one.name.trim_end_matches("_total"), other.name, "of the type {}", one.kind);
        assert_eq!((&one.kind, &one.help), (&other.kind, &other.help), "of {}", one.name);
        let values = |samples: &[Sample]| samples.iter().map(|sample| sample.value).collect::<Vec<_>>();
        assert_eq!(values(&one.samples), values(&other.samples), "of {}", one.name);
    }
}

#[tokio::test]
async fn gzip_holds_what_identity_says() {
    let app = quiet_log(Redpane::new("test")).instrument(hello());
    // Twice, so that the series of /metrics exist; its own durations are taken out below.
    get(&app, "/metrics").await;
    let plain = get(&app, "/metrics").await;
    let zipped = send(&app, Method::GET, "/metrics", &[("accept-encoding", "gzip")]).await;
    assert_eq!(zipped.header("content-encoding"), "gzip");
    assert!(zipped.body.len() < plain.body.len() / 3, "{} of {} bytes", zipped.body.len(), plain.body.len());
    let mut unzipped = String::new();
    flate2::read::GzDecoder::new(&*zipped.body).read_to_string(&mut unzipped).unwrap();
    Exposition::of(&unzipped, ExpositionFormat::Text);
    let steady = |text: &str| {
        let lines = text.lines().filter(|line| !line.contains("route=\"/metrics\""));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(steady(&unzipped), steady(plain.text()));
}

#[tokio::test]
async fn head_answers_like_get_without_the_body() {
    let app = quiet_log(Redpane::new("test")).instrument(hello());
    let head = send(&app, Method::HEAD, "/metrics", &[]).await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
    assert_eq!(head.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let post = send(&app, Method::POST, "/metrics", &[]).await;
    assert_eq!(post.status, StatusCode::METHOD_NOT_ALLOWED);
    let seen = scrape(&app).await;
    let requests = |method| seen.value("http_requests_total", &labels(method, "/metrics", "200"));
    assert_eq!(requests("HEAD"), Some(1.0));
}

fn labels<'a>(method: &'a str, route: &'a str, status: &'a str) -> [(&'a str, &'a str); 3] {
    [("method", method), ("route", route), ("status", status)]
}

#[tokio::test]
async fn the_first_error_has_a_zero_before_it() {
    let app = quiet_log(Redpane::new("test")).instrument(hello());
    get(&app, "/hello/you").await;
    get(&app, "/nowhere").await;
    let seen = scrape(&app).await;
    for route in ["/hello/{name}", "unmatched"] {
        assert_eq!(seen.value("http_requests_total", &labels("GET", route, "500")), Some(0.0), "{route}");
    }
    assert_eq!(seen.value("http_requests_total", &labels("GET", "/hello/{name}", "200")), Some(1.0));
    assert_eq!(seen.value("http_requests_total", &labels("GET", "unmatched", "404")), Some(1.0));
    assert_eq!(seen.sum("redpane_series"), seen.samples("http_requests_total").len() as f64);
}

#[tokio::test]
async fn announced_routes_are_there_before_their_first_request() {
    let redpane = Redpane::new("test").preregister(Method::GET, "/hello/{name}").preregister(Method::POST, "/echo");
    let telemetry = quiet_log(redpane.preregister(Method::GET, "/hello/{name}"));
    let seen = Exposition::of(&telemetry.render(ExpositionFormat::Text), ExpositionFormat::Text);
    for (method, route) in [("GET", "/hello/{name}"), ("POST", "/echo")] {
        for status in ["200", "500"] {
            assert_eq!(seen.value("http_requests_total", &labels(method, route, status)), Some(0.0));
            assert_eq!(seen.value("http_request_duration_seconds_count", &labels(method, route, status)), Some(0.0));
        }
        let sizes = seen.value("http_response_size_bytes_count", &[("method", method), ("route", route)]);
        assert_eq!(sizes, Some(0.0));
    }
    assert_eq!(seen.samples("http_requests_total").len(), 4);
    assert_eq!(seen.value("redpane_series", &[]), Some(4.0));
}

#[tokio::test]
async fn durations_have_buckets_from_100_microseconds_to_10_seconds() {
    let app = quiet_log(Redpane::new("test")).instrument(hello());
    get(&app, "/hello/you").await;
    let seen = scrape(&app).await;
    let of_hello = |sample: &&&Sample| {
        labels("GET", "/hello/{name}", "200").iter().all(|(name, value)| sample.labels[*name] == *value)
    };
    let buckets = seen.samples("http_request_duration_seconds_bucket");
    let bounds: Vec<_> = buckets.iter().filter(of_hello).map(|sample| sample.labels["le"].as_str()).collect();
    let milliseconds = ["0.0001", "0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1"];
    assert_eq!(bounds[..10], milliseconds);
    assert_eq!(bounds[10..], ["0.25", "0.5", "1", "2.5", "5", "10", "+Inf"]);
}

#[tokio::test]
async fn exemplars_lead_to_the_trace_and_stay_in_openmetrics() {
    let app = quiet_log(Redpane::new("test")).instrument(hello());
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    send(&app, Method::GET, "/hello/you", &[("traceparent", traceparent)]).await;
    let answer = send(&app, Method::GET, "/metrics", &[("accept", OPEN_METRICS)]).await;
    let seen = Exposition::of(answer.text(), ExpositionFormat::OpenMetrics);
    let exemplars: Vec<_> =
        seen.families.iter().flat_map(|family| &family.samples).filter(|s| s.exemplar.is_some()).collect();
    assert_eq!(exemplars.len(), 1, "one request, one bucket");
    assert_eq!(exemplars[0].name, "http_request_duration_seconds_bucket");
    assert_eq!(exemplars[0].exemplar.as_ref().unwrap().labels["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert!(!get(&app, "/metrics").await.text().contains("4bf92f35"));
}

#[tokio::test]
async fn build_info_shows_any_text() {
    let app = quiet_log(Redpane::new("test").build_info("1.2\"3\n", "a\\b")).instrument(Router::new());
    let seen = scrape(&app).await;
    assert_eq!(seen.value("redpane_build_info", &[("version", "1.2\"3\n"), ("revision", "a\\b")]), Some(1.0));
}

#[tokio::test]
async fn the_metrics_have_another_path_or_another_listener() {
    let elsewhere = quiet_log(Redpane::new("test").metrics_path("/internal/metrics")).instrument(hello());
    assert_eq!(get(&elsewhere, "/metrics").await.status, StatusCode::NOT_FOUND);
    assert_eq!(get(&elsewhere, "/internal/metrics").await.status, StatusCode::OK);

    let telemetry = quiet_log(Redpane::new("test").without_metrics_route());
    let app = telemetry.clone().instrument(hello());
    get(&app, "/hello/you").await;
    assert_eq!(get(&app, "/metrics").await.status, StatusCode::NOT_FOUND);
    let seen = scrape(&telemetry.metrics_router()).await;
    assert_eq!(seen.value("http_requests_total", &labels("GET", "/hello/{name}", "200")), Some(1.0));
}

#[tokio::test]
async fn two_instances_do_not_see_each_other() {
    let handler = || async { metrics::counter!("jobs_total").increment(1) };
    let [one, other] =
        [(); 2].map(|()| quiet_log(Redpane::new("test")).instrument(Router::new().route("/job", route(handler))));
    get(&one, "/job").await;
    assert_eq!(scrape(&one).await.value("jobs_total", &[]), Some(1.0));
    let seen = scrape(&other).await;
    assert_eq!(seen.value("jobs_total", &[]), None);
    assert!(seen.samples("http_requests_total").iter().all(|sample| sample.labels["route"] != "/job"));
}

#[tokio::test]
async fn a_log_line_is_counted_by_its_level() {
    let log = Log::default();
    let telemetry = Redpane::new("test").log_writer(log.clone()).build().unwrap();
    let app = telemetry.clone().instrument(hello());
    for path in ["/hello/you", "/nowhere", "/nowhere"] {
        get(&app, path).await;
    }
    let seen = scrape(&app).await;
    let lines = lines(&log, &telemetry);
    assert_eq!(lines.len(), 3, "scrapes that succeed write no line");
    for (level, count) in [("ERROR", 0.0), ("WARN", 2.0), ("INFO", 1.0), ("DEBUG", 0.0), ("TRACE", 0.0)] {
        assert_eq!(seen.value("log_events_total", &[("level", level)]), Some(count), "{level}");
    }
    assert_eq!(seen.sum("log_lines_dropped_total"), 0.0);
    assert_eq!(seen.samples("log_lines_dropped_total").len(), 3, "every reason is there from the start");
}
