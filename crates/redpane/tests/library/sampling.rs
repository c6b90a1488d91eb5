//! Access lines that are left out on purpose: which ones, and that every one of them is counted.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::routing::get;
use axum::{Router, response::Response};
use http::{Request, StatusCode};
use redpane::{ExpositionFormat, Redpane, TimedOut, TraceId, TraceParent};
use test_support::{Line, Observed, Scripted, Step};
use tower::ServiceExt;

/// No request of these tests takes as long.
const HOUR: Duration = Duration::from_secs(3600);
/// Trace ids that are in nearly every share, and in nearly none.
const IN: &str = "ffffffffffffffff0000000000000002";
const OUT: &str = "0000000000000001fffffffffffffff0";

fn routes() -> Router {
    let timed_out = || async {
        let mut response = Response::new(Body::from("late"));
        response.extensions_mut().insert(TimedOut);
        response
    };
    Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/healthz", get(|| async { "fine" }))
        .route("/failing", get(|| async { StatusCode::INTERNAL_SERVER_ERROR }))
        .route("/timed_out", get(timed_out))
        .route("/panic", get(|| async { panic!("broken") as &str }))
        .route("/pending", get(|| async { std::future::pending::<&str>().await }))
}

/// An application that keeps this share of its lines.
struct Sampled(Observed, Router);

impl Sampled {
    fn with(options: impl FnOnce(Redpane) -> Redpane) -> Self {
        let observed = Observed::with(options);
        let router = observed.telemetry.clone().instrument(routes());
        Self(observed, router)
    }

    async fn ask(&self, path: &str, trace_id: &str) {
        let request = Request::get(path).header("traceparent", format!("00-{trace_id}-00f067aa0ba902b7-01"));
        let response = self.1.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        to_bytes(response.into_body(), usize::MAX).await.unwrap();
    }

    fn lines(&self) -> Vec<Line> {
        self.0.lines().into_iter().filter(Line::is_access).collect()
    }

    fn sampled_out(&self) -> f64 {
        self.0.samples().value("log_lines_sampled_out_total", &[])
    }
}

#[tokio::test]
async fn the_same_traces_are_kept_in_every_service_and_the_account_is_exact() {
    let options = |redpane: Redpane| redpane.access_sample(0.25).access_slow(HOUR);
    let services = [Sampled::with(options), Sampled::with(options)];
    let ids: Vec<String> = (0..200).map(|_| TraceId::random().to_string()).collect();
    let mut kept = Vec::new();
    for service in &services {
        for id in &ids {
            service.ask("/", id).await;
        }
        let lines = service.lines();
        assert!(lines.iter().all(|line| line["sample_rate"] == 0.25), "{lines:#?}");
        let counted = service.0.samples().sum("http_requests_total", &[]);
        assert_eq!((counted, lines.len() as f64 + service.sampled_out()), (200.0, 200.0));
        assert_eq!(service.0.samples().sum("log_events_total", &[]), lines.len() as f64, "only lines that were made");
        kept.push(lines.iter().map(|line| line.str("trace_id").to_owned()).collect::<Vec<_>>());
    }
    assert_eq!(kept[0], kept[1]);
    // The chance of less or more is below one in a million.
    assert!((15..90).contains(&kept[0].len()), "{} of 200", kept[0].len());
}

#[tokio::test]
async fn failures_timeouts_and_vanished_clients_keep_their_line() {
    let service = Sampled::with(|redpane| redpane.access_sample(0.0).access_slow(HOUR));
    for path in ["/", "/failing", "/timed_out", "/panic", "/nowhere"] {
        service.ask(path, OUT).await;
    }
    tokio::time::timeout(Duration::from_millis(20), service.ask("/pending", OUT)).await.unwrap_err();
    let lines = service.lines();
    let outcomes: Vec<_> = lines.iter().map(|line| line.str("outcome")).collect();
    assert_eq!(outcomes, ["complete", "timeout", "panic", "complete", "aborted"]);
    assert!(lines.iter().all(|line| line.get("sample_rate").is_none()), "{lines:#?}");
    assert_eq!(service.sampled_out(), 1.0);
}

#[tokio::test]
async fn slow_requests_keep_their_line() {
    let service = Sampled::with(|redpane| redpane.access_sample(0.1).access_slow(Duration::ZERO));
    service.ask("/", OUT).await;
    service.ask("/", IN).await;
    let lines = service.lines();
    assert_eq!((lines.len(), service.sampled_out()), (2, 0.0));
    assert!(lines.iter().all(|line| line.get("sample_rate").is_none()), "they stand for themselves: {lines:#?}");
}

#[tokio::test]
async fn lines_that_nobody_wants_are_not_sampled_out() {
    let service = Sampled::with(|redpane| redpane.access_sample(0.1).access_slow(HOUR));
    service.ask("/healthz", OUT).await;
    assert_eq!((service.lines().len(), service.sampled_out()), (0, 0.0), "logs failures only");
    let service =
        Sampled::with(|redpane| redpane.access_sample(0.1).log_filter("redpane::access=warn".parse().unwrap()));
    service.ask("/", OUT).await;
    assert_eq!((service.lines().len(), service.sampled_out()), (0, 0.0), "the filter is against it");
}

#[tokio::test]
async fn without_sampling_every_line_is_there() {
    let service = Sampled::with(|redpane| redpane);
    service.ask("/", OUT).await;
    let lines = service.lines();
    assert_eq!((lines.len(), service.sampled_out(), lines[0].get("sample_rate")), (1, 0.0, None));
}

/// A line that is left out is no place for an exemplar to lead to.
#[tokio::test]
async fn exemplars_lead_to_lines_that_are_there() {
    let service = Sampled::with(|redpane| redpane.access_sample(0.1).access_slow(HOUR));
    service.ask("/", OUT).await;
    let exemplars = |id: &str| service.0.telemetry.render(ExpositionFormat::OpenMetrics).matches(id).count();
    assert_eq!(exemplars(OUT), 0);
    service.ask("/", IN).await;
    assert_eq!(exemplars(IN), 1);
    service.ask("/failing", OUT).await;
    assert_eq!(exemplars(OUT), 1, "its line is always kept");
}

/// Where an SDK of the application's has spans, the exemplar leads to those.
#[tokio::test]
async fn exemplars_of_an_sdk_lead_to_its_spans() {
    let ids = || Some(TraceParent::new(OUT.parse().unwrap(), "00f067aa0ba902b7".parse().unwrap(), true));
    let service = Sampled::with(|redpane| redpane.access_sample(0.1).access_slow(HOUR).ids_from(ids));
    service.ask("/", OUT).await;
    assert_eq!((service.lines().len(), service.sampled_out()), (0, 1.0));
    assert!(service.0.telemetry.render(ExpositionFormat::OpenMetrics).contains(OUT));
}

fn events(steps: Vec<Step>) -> Response {
    let mut response = Response::new(Scripted::body(steps));
    response.headers_mut().insert("content-type", "text/event-stream".parse().unwrap());
    response
}

#[tokio::test]
async fn lines_of_streams_are_sampled_like_those_of_their_requests() {
    let routes = || {
        Router::new()
            .route("/events", get(|| async { events(vec![Step::Data("data: 1\n\n")]) }))
            .route("/left", get(|| async { events(vec![Step::Data("data: 1\n\n"), Step::Hang]) }))
            .route("/broken", get(|| async { events(vec![Step::Data("data: 1\n\n"), Step::Error]) }))
    };
    let ask = async |observed: &Observed, path: &str, id: &str| {
        let router = observed.telemetry.clone().instrument(routes());
        let request = Request::get(path).header("traceparent", format!("00-{id}-00f067aa0ba902b7-01"));
        let body = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap().into_body();
        let _ = tokio::time::timeout(Duration::from_millis(20), to_bytes(body, usize::MAX)).await;
    };
    let lines = |observed: &Observed| -> Vec<Line> {
        observed.lines().into_iter().filter(|line| line["message"] == "stream").collect()
    };
    let observed = Observed::with(|redpane| redpane.access_sample(0.1).access_slow(HOUR));
    for (path, id) in [("/events", OUT), ("/left", OUT), ("/broken", OUT), ("/events", IN), ("/left", IN)] {
        ask(&observed, path, id).await;
    }
    let kept: Vec<_> =
        lines(&observed).iter().map(|line| (line.str("path").to_owned(), line.get("sample_rate").cloned())).collect();
    let sampled = Some(0.1.into());
    let expected = [("/broken".into(), None), ("/events".into(), sampled.clone()), ("/left".into(), sampled)];
    assert_eq!(kept, expected, "one that fails is always kept");
    let samples = observed.samples();
    assert_eq!(samples.sum("http_streams_total", &[]), 5.0);
    assert_eq!(samples.value("log_stream_lines_sampled_out_total", &[]), 2.0);
    assert_eq!(samples.value("log_lines_sampled_out_total", &[]), 3.0, "the account of requests is their own");
    // Nearly all streams are slow.
    let observed = Observed::with(|redpane| redpane.access_sample(0.1).access_slow(Duration::ZERO));
    ask(&observed, "/events", OUT).await;
    assert_eq!(lines(&observed).len(), 1);
}

#[test]
fn a_share_is_a_number_from_0_to_1() {
    for (share, shown) in [(1.5, "1.5"), (-0.1, "-0.1"), (f64::NAN, "NaN")] {
        let error = Redpane::new("test").access_sample(share).build().unwrap_err();
        assert_eq!(error.to_string(), format!("access_sample({shown}): a share from 0 to 1 is right, as in 0.1"));
    }
}
