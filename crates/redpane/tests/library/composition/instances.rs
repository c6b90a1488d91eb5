//! Several instrumented routers in one process, and one router over many connections.

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::Method;
use test_support::Observed;
use test_support::client::{self, request};
use tower::ServiceExt;

use super::hello;

#[tokio::test]
async fn two_instances_do_not_disturb_each_other() {
    let counting = || {
        Router::new().route(
            "/",
            get(|| async {
                metrics::counter!("jobs_total").increment(1);
                metrics::histogram!("job_seconds").record(0.5);
            }),
        )
    };
    let (one, other) = (Observed::new(), Observed::with(|redpane| redpane.duration_buckets([1.0])));
    let (first, second) = (one.serve(counting()).await, other.serve(counting()).await);
    for _ in 0..3 {
        client::get(first, "/").await;
    }
    client::get(second, "/").await;
    assert_eq!(one.access_lines(3).await.len(), 3);
    let line = other.only_request().await;
    assert!(one.lines().iter().all(|its| its["trace_id"] != line["trace_id"]));
    for (observed, count) in [(&one, 3.0), (&other, 1.0)] {
        let samples = observed.samples();
        assert_eq!(samples.value("jobs_total", &[]), count);
        assert_eq!(samples.value("job_seconds_count", &[]), count);
    }
    assert_eq!(one.samples().of("job_seconds_bucket", &[]).count(), 17);
    assert_eq!(other.samples().of("job_seconds_bucket", &[]).count(), 2);
}

#[tokio::test]
async fn one_telemetry_for_two_routers() {
    let observed = Observed::new();
    let (first, second) = (observed.serve(hello()).await, observed.serve(hello()).await);
    client::get(first, "/hello/ada").await;
    client::get(second, "/hello/alan").await;
    observed.access_lines(2).await;
    assert_eq!(observed.samples().requests(), [("GET /hello/{name} 200".into(), 2.0)]);
}

/// `axum::serve` applies the layers anew for each connection: that must neither lose nor double anything.
#[tokio::test]
async fn many_connections_are_one_series() {
    let observed = Observed::new();
    let address = observed.serve(hello()).await;
    let clients: Vec<_> = (0..50)
        .map(|number| tokio::spawn(async move { client::get(address, &format!("/hello/{number}")).await }))
        .collect();
    for client in clients {
        assert!(client.await.unwrap().whole);
    }
    observed.access_lines(50).await;
    assert_eq!(observed.samples().requests(), [("GET /hello/{name} 200".into(), 50.0)]);
    assert_eq!(observed.samples().value("redpane_series", &[]), 2.0, "200 and 500");
}

#[tokio::test]
async fn called_without_a_socket() {
    let observed = Observed::new();
    let router = observed.telemetry.clone().instrument(hello()).with_state(());
    for _ in 0..3 {
        let asked = request(Method::GET, "/hello/ada").body(Body::empty()).unwrap();
        let response = router.clone().oneshot(asked).await.unwrap();
        let body = axum::body::to_bytes(response.into_body(), 100).await.unwrap();
        assert_eq!(body, "hello, ada");
    }
    let lines = observed.access_lines(3).await;
    assert_eq!(lines[0]["client"], serde_json::Value::Null, "nobody knows it without a socket");
}

/// A handler that calls another instrumented router in place runs both contexts, each around its own code.
#[tokio::test]
async fn a_call_from_inside_a_request() {
    let (outer, inner) = (Observed::new(), Observed::new());
    let backend = inner.telemetry.clone().instrument(hello()).with_state(());
    let handler = move || async move {
        let context = redpane::current().expect("inside of a request");
        let mut asked = request(Method::GET, "/hello/ada").body(Body::empty()).unwrap();
        asked.headers_mut().extend(context.outgoing_headers());
        let response = backend.oneshot(asked).await.unwrap();
        let after = redpane::current().expect("still inside of the request");
        assert_eq!((after.trace_id(), after.span_id()), (context.trace_id(), context.span_id()));
        response
    };
    let answer = client::get(outer.serve(Router::new().route("/", get(handler))).await, "/").await;
    assert_eq!(answer.text(), "hello, ada");
    let (caller, called) = (outer.only_request().await, inner.only_request().await);
    answer.belongs_to(&caller);
    assert_eq!(called["trace_id"], caller["trace_id"]);
    assert_eq!(called["request_id"], caller["request_id"]);
    assert_eq!(called["parent_span_id"], caller["span_id"]);
    assert_ne!(called["span_id"], caller["span_id"]);
}

/// One endpoint with several routes: what it remembers of the first must not name the others.
#[tokio::test]
async fn the_same_endpoint_in_two_places() {
    let observed = Observed::new();
    let inner: Router = observed.telemetry.clone().instrument(hello()).with_state(());
    let router = Router::new().nest_service("/a", inner.clone()).nest_service("/b", inner);
    for path in ["/a/hello/ada", "/b/hello/ada", "/a/hello/alan", "/b/nowhere"] {
        let asked = request(Method::GET, path).body(Body::empty()).unwrap();
        let response = router.clone().oneshot(asked).await.unwrap();
        axum::body::to_bytes(response.into_body(), 100).await.unwrap();
    }
    observed.access_lines(4).await;
    let expected = [("GET /a/hello/{name} 200", 2.0), ("GET /b/hello/{name} 200", 1.0), ("GET unmatched 404", 1.0)];
    assert_eq!(observed.samples().requests(), expected.map(|(labels, count)| (labels.into(), count)));
}
