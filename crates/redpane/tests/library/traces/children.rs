//! What is made inside of requests is counted like their spans, whatever the receiver does.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Request, Response};
use redpane::{Otlp, Redpane, Telemetry};
use test_support::Observed;
use test_support::otlp::{Behaviour, Receiver};
use tower::{Layer, ServiceExt, service_fn};
use tracing::instrument::WithSubscriber;
use tracing_subscriber::layer::SubscriberExt;

use super::endings::end;
use super::{LONG, exported};

/// Spans inside of requests, and of calls, are made beside those of the requests. Each has its one end too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spans_inside_of_requests_are_counted_like_those_of_requests() {
    const REQUESTS: u64 = 40;
    // A request, two spans in it, and a call.
    const MADE: u64 = 4 * REQUESTS;
    for (behaviour, most_spans) in [
        (Behaviour::Accept, "100000"),
        (Behaviour::Half, "100000"),
        (Behaviour::Status(503, None), "100000"),
        (Behaviour::Hang, "30"),
        (Behaviour::Slow(Duration::from_millis(20)), "10"),
    ] {
        let receiver = Receiver::start().await;
        let variables = [
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", receiver.endpoint()),
            ("OTEL_BSP_MAX_QUEUE_SIZE", most_spans.to_owned()),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "7".to_owned()),
            ("OTEL_BSP_SCHEDULE_DELAY", "5".to_owned()),
        ];
        let find = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
        let observed = Observed::by(Redpane::new("test").otlp(Otlp::from_variables(find).unwrap().unwrap()));
        receiver.behave(behaviour.clone());
        let requests = (0..REQUESTS).map(|_| tokio::spawn(with_children(observed.telemetry.clone())));
        for request in requests.collect::<Vec<_>>() {
            request.await.unwrap();
        }
        let deadline = if let Behaviour::Accept = behaviour { LONG } else { Duration::from_millis(500) };
        end(&observed, deadline, MADE).await;
        let received = receiver.spans();
        let ids: BTreeSet<_> = received.iter().map(|span| &span.span_id).collect();
        assert_eq!(ids.len(), received.len(), "{behaviour:?}: a span was sent twice");
        let expected = if let Behaviour::Accept = behaviour { MADE } else { exported(&observed) };
        assert_eq!(exported(&observed), expected, "{behaviour:?}");
        assert!(received.len() as u64 >= expected, "{behaviour:?}");
    }
}

/// A request in which two spans are opened and one call is made; one of the spans ends after the request.
async fn with_children(telemetry: Telemetry) {
    let client = telemetry
        .outgoing_layer("next")
        .layer(service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Body::empty()))));
    let late = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&late);
    let handler = move || async move {
        tracing::info_span!("early").in_scope(|| ());
        *keep.lock().unwrap() = Some(tracing::info_span!("late"));
        client.oneshot(Request::get("http://next/").body(Body::empty()).unwrap()).await.unwrap();
        "done"
    };
    let subscriber = tracing_subscriber::registry().with(telemetry.log_layer());
    let app = telemetry.instrument(Router::new().route("/", get(handler)));
    let request = app.oneshot(Request::get("/").body(Body::empty()).unwrap());
    let answer = request.with_subscriber(subscriber).await.unwrap();
    drop(answer);
    drop(late.lock().unwrap().take());
}
