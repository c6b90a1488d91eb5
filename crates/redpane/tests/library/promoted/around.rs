//! Spans from outside of requests, which are around them or are entered in them.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use serde_json::json;
use tokio::sync::Notify;
use tower_http::trace::TraceLayer;
use tracing::field::Empty;
use tracing::{Span, info_span};

use super::{ask, fields, in_span, own, promoting};

/// A `TraceLayer` outside of redpane opens its span before the request is known, and records the status behind it.
#[tokio::test]
async fn the_span_of_a_layer_outside() {
    let (observed, _subscriber) = promoting();
    let handler = || async {
        Span::current().record("items", 1);
        "a body, which ends after the layer has seen the answer"
    };
    let app = observed.telemetry.clone().instrument(Router::new().route("/", get(handler)));
    let span = |_: &axum::extract::Request| info_span!("request", tenant = "acme", items = Empty);
    let app = app.layer(TraceLayer::new_for_http().make_span_with(span).on_request(()).on_response(
        |_: &http::Response<_>, _: std::time::Duration, span: &Span| {
            span.record("items", 2);
        },
    ));
    ask(app).await;
    let line = observed.only_request().await;
    assert_eq!(own(&line), fields([("tenant", json!("acme")), ("items", json!(2))]), "{}", line.text);
}

#[tokio::test]
async fn the_innermost_one_counts_and_what_is_recorded_before_the_request_too() {
    let (observed, _subscriber) = promoting();
    let app = observed.telemetry.clone().instrument(Router::new().route("/", get(|| async {})));
    let inner = async {
        Span::current().record("items", 5);
        ask(app).await;
    };
    let inner = in_span(info_span!("inner", tenant = "inner", items = Empty), inner);
    in_span(info_span!("outer", tenant = "outer"), inner).await;
    let line = observed.only_request().await;
    assert_eq!(own(&line), fields([("tenant", json!("inner")), ("items", json!(5))]), "{}", line.text);
}

/// A span that lasts longer than its requests, as that of a connection does, and one that a handler enters again at each poll.
#[tokio::test]
async fn a_span_from_outside_replaces_nothing_that_was_recorded_inside() {
    let (observed, _subscriber) = promoting();
    let shared = info_span!("shared", tenant = "shared");
    let span = shared.clone();
    let handler = move || {
        let inside = async {
            tokio::task::yield_now().await;
            redpane::record("tenant", "inside");
            tokio::task::yield_now().await;
        };
        in_span(span, inside)
    };
    let other = shared.clone();
    let other = move || in_span(other, async {});
    let router = Router::new().route("/", get(handler)).route("/other", get(other));
    let app = observed.telemetry.clone().instrument(router);
    let connection = async {
        ask(app.clone()).await;
        let other = http::Request::get("/other").body(axum::body::Body::empty()).unwrap();
        drop(tower::ServiceExt::oneshot(app, other).await.unwrap());
    };
    connection.await;
    let lines = observed.access_lines(2).await;
    assert_eq!(own(&lines[0]), fields([("tenant", json!("inside"))]), "{}", lines[0].text);
    assert_eq!(own(&lines[1]), fields([("tenant", json!("shared"))]), "{}", lines[1].text);
}

/// Two requests in turn on one thread, in one span: what each of them records is its own.
#[tokio::test]
async fn what_is_recorded_goes_to_the_request_that_runs() {
    let (observed, _subscriber) = promoting();
    let shared = info_span!("shared", tenant = "acme", items = Empty);
    let turn = Arc::new(Notify::new());
    let (waits, goes) = (Arc::clone(&turn), turn);
    let span = shared.clone();
    let first = move || {
        in_span(span, async move {
            waits.notified().await;
            Span::current().record("items", 1);
        })
    };
    let second = move || {
        in_span(shared, async move {
            Span::current().record("items", 2);
            goes.notify_one();
        })
    };
    let app = |route| observed.telemetry.clone().instrument(route);
    let first = app(Router::new().route("/", get(first)));
    let second = app(Router::new().route("/", get(second)));
    tokio::join!(ask(first), ask(second));
    let mut items: Vec<_> = observed.access_lines(2).await.iter().map(|line| line["items"].clone()).collect();
    items.sort_by_key(ToString::to_string);
    assert_eq!(items, [json!(1), json!(2)]);
}
