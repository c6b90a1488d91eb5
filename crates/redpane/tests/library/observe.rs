//! `redpane::testing`: what an application's own tests read.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Path;
use axum::routing::get;
use http::{Request, StatusCode};
use redpane::testing::{Observed, observe};
use redpane::{LogFormat, MetricNames, Redpane, Telemetry};
use tower::ServiceExt;
use tracing_subscriber::layer::SubscriberExt;

const ROUTE: &str = "/orders/{number}";

async fn order(Path(number): Path<u32>) -> Result<String, StatusCode> {
    tracing::info!(number, "asked for");
    if number == 13 {
        redpane::record_error(&std::io::Error::other("no stock"));
        return Err(StatusCode::CONFLICT);
    }
    Ok(format!("order {number}\n"))
}

fn app(telemetry: Telemetry) -> Router {
    telemetry.instrument(Router::new().route(ROUTE, get(order)))
}

async fn ask(app: &Router, path: &str) {
    let answer = app.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
    to_bytes(answer.into_body(), usize::MAX).await.unwrap();
}

/// The text of a panic.
fn panics(work: impl FnOnce()) -> String {
    *catch_unwind(AssertUnwindSafe(work)).unwrap_err().downcast::<String>().unwrap()
}

async fn asked(number: u32) -> Observed {
    let (telemetry, seen) = observe(Redpane::new("test"));
    ask(&app(telemetry), &format!("/orders/{number}")).await;
    seen
}

#[tokio::test]
async fn a_request_was_counted_under_its_route_and_its_line_says_why_it_failed() {
    let seen = asked(13).await;
    assert_eq!(seen.requests("GET", ROUTE, 409), 1);
    assert_eq!(
        (seen.requests("GET", ROUTE, 200), seen.requests("POST", ROUTE, 409), seen.requests("GET", "/", 409)),
        (0, 0, 0)
    );
    let line = seen.line(ROUTE);
    assert_eq!((line.text("error"), line.number("status")), (Some("no stock"), Some(409.0)));
    assert!(line.has("client") && !line.has("tenant") && line.to_string().starts_with(r#"{"timestamp":"#), "{line}");
}

#[test]
fn tests_at_the_same_time_see_their_own() {
    std::thread::scope(|scope| {
        for number in 0..16 {
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                let seen = runtime.block_on(asked(number));
                assert_eq!((seen.requests("GET", ROUTE, 200), seen.lines().len()), (u64::from(number != 13), 1));
                assert_eq!(seen.line(ROUTE).text("path"), Some(&*format!("/orders/{number}")));
            });
        }
    });
}

#[tokio::test]
async fn whatever_the_builder_says() {
    let redpane = Redpane::new("test")
        .log_format(LogFormat::Pretty)
        .log_writer(std::io::sink())
        .metric_names(MetricNames::Otel)
        .label("tier", ["free"], |parts| Some(Cow::Borrowed(parts.headers.get("x-tier")?.to_str().ok()?)));
    let (telemetry, seen) = observe(redpane);
    let app = app(telemetry);
    for tier in ["free", "paid"] {
        let request = Request::get("/orders/1").header("x-tier", tier).body(Body::empty()).unwrap();
        to_bytes(app.clone().oneshot(request).await.unwrap().into_body(), usize::MAX).await.unwrap();
    }
    assert_eq!((seen.requests("GET", ROUTE, 200), seen.lines().len()), (2, 2));
}

#[tokio::test]
async fn events_of_the_application_with_a_subscriber_of_the_tests() {
    let (telemetry, seen) = observe(Redpane::new("test"));
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(telemetry.log_layer()));
    ask(&app(telemetry), "/orders/3").await;
    let lines = seen.lines();
    assert_eq!((lines[0].text("message"), lines[0].number("number")), (Some("asked for"), Some(3.0)));
    assert_eq!(lines[0].text("trace_id"), seen.line(ROUTE).text("trace_id"));
}

#[tokio::test]
async fn what_is_missing_is_said() {
    let (telemetry, seen) = observe(Redpane::new("test"));
    let app = app(telemetry);
    let unread = app.clone().oneshot(Request::get("/orders/1").body(Body::empty()).unwrap()).await.unwrap();
    let text = panics(|| drop(seen.line(ROUTE)));
    assert!(text.contains("no request that has ended") && text.contains("a request ends with its body"), "{text}");
    drop(unread);
    ask(&app, "/orders/2").await;
    let text = panics(|| drop(seen.line(ROUTE)));
    assert!(text.contains("more than one request") && text.contains(r#""path":"/orders/2""#), "{text}");
    let text = panics(|| drop(observe(Redpane::new("test").series_limit(0))));
    assert!(text.contains("series_limit(0)"), "{text}");
}
