//! More than one layer around a request: each telemetry counts it once.

use axum::Router;
use axum::body::Body;
use axum::routing::get as got;
use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use test_support::{Observed, client};
use tower::{Layer, ServiceExt, service_fn};

use super::{assert_line, call, get, hello};

fn router() -> Router {
    Router::new().route("/hello/{name}", got(|| async { "hello" }))
}

#[tokio::test]
async fn a_layer_inside_of_instrument() {
    let observed = Observed::new();
    let address = observed.serve(router().layer(observed.telemetry.layer())).await;
    for path in ["/hello/ada", "/nowhere"] {
        let answer = client::get(address, path).await;
        assert_eq!((answer.header("x-trace-id").len(), answer.header("x-request-id").len()), (32, 16));
    }
    let lines = observed.access_lines(2).await;
    assert_line(&lines[0], "INFO complete GET /hello/{name} 200");
    assert_line(&lines[1], "WARN complete GET unmatched 404");
}

/// The ids that the application sees and records with are those of the one that counts.
#[tokio::test]
async fn a_layer_around_a_layer() {
    let observed = Observed::new();
    let layer = observed.telemetry.layer();
    let inner = service_fn(|request: Request<Empty<Bytes>>| async {
        redpane::record("seen", request.headers()["x-request-id"].to_str().unwrap());
        hello(request).await
    });
    let mut service = layer.layer(layer.layer(layer.layer(inner)));
    // The second one with an id of the caller's.
    let given = Request::get("/").header("x-request-id", "given").body(Empty::<Bytes>::new()).unwrap();
    for request in [get("/"), given] {
        let answer = call(&mut service, request).await.unwrap();
        assert_eq!(answer.headers.get_all("x-request-id").iter().count(), 1);
    }
    let lines = observed.access_lines(2).await;
    for line in &lines {
        assert_line(line, "INFO complete GET unmatched 200");
        assert_eq!(line["seen"], line["request_id"]);
        assert_eq!(line["response_bytes"], 5);
    }
    assert_eq!(lines[1]["request_id"], "given");
}

#[tokio::test]
async fn a_panic_between_two_layers_is_counted_once() {
    let observed = Observed::new();
    let layer = observed.telemetry.layer();
    let mut service = layer.layer(layer.layer(service_fn(|request: Request<Empty<Bytes>>| async {
        if true {
            panic!("falls over")
        }
        hello(request).await
    })));
    let answer = call(&mut service, get("/")).await.unwrap();
    assert_eq!(answer.status, 500);
    assert_line(&observed.only_request().await, "ERROR panic GET unmatched 500");
    observed.messages("falls over", 1).await;
}

#[tokio::test]
async fn two_telemetries_count_once_each() {
    let (one, other) = (Observed::new(), Observed::new());
    let mut service = one.telemetry.layer().layer(other.telemetry.layer().layer(service_fn(hello)));
    let answer = call(&mut service, get("/")).await.unwrap();
    assert_eq!(answer.body.unwrap(), "hello");
    let (outer, inner) = (one.only_request().await, other.only_request().await);
    for line in [&outer, &inner] {
        assert_line(line, "INFO complete GET unmatched 200");
    }
    assert_eq!(outer["request_id"], inner["request_id"], "the request has one id");
    assert_eq!(answer.headers.get_all("x-trace-id").iter().count(), 1);
    assert_eq!(answer.headers["x-trace-id"], outer.str("trace_id"), "the outer one answers");
}

/// The same telemetry on both sides of another one.
#[tokio::test]
async fn one_telemetry_around_another_and_inside_of_it() {
    let (one, other) = (Observed::new(), Observed::new());
    let inner = other.telemetry.layer().layer(one.telemetry.layer().layer(service_fn(hello)));
    let mut service = one.telemetry.layer().layer(inner);
    call(&mut service, get("/")).await.unwrap();
    one.only_request().await;
    other.only_request().await;
}

/// A request that a handler makes is not the one that it answers, whatever ids it takes along.
#[tokio::test]
async fn a_request_of_a_handlers_own() {
    let observed = Observed::new();
    let backend: Router = observed.telemetry.clone().instrument(router()).with_state(());
    let handler = |request: Request<Body>| async move {
        let context = redpane::current().unwrap();
        let mut own = Request::get("/hello/ada").body(Body::empty()).unwrap();
        match request.uri().query() {
            Some("context") => *own.headers_mut() = context.outgoing_headers(),
            Some("id") => _ = own.headers_mut().insert("x-request-id", context.request_id().parse().unwrap()),
            _ => {}
        }
        backend.oneshot(own).await.unwrap()
    };
    let address = observed.serve(Router::new().route("/", got(handler))).await;
    for (number, path) in ["/", "/?context", "/?id"].into_iter().enumerate() {
        let answer = client::get(address, path).await;
        assert_eq!(answer.text(), "hello", "{path}");
        let lines = observed.access_lines(2 * (number as u64 + 1)).await;
        let (called, caller) = (&lines[2 * number], &lines[2 * number + 1]);
        assert_line(caller, "INFO complete GET / 200");
        assert_line(called, "INFO complete GET /hello/{name} 200");
        assert_ne!(called["span_id"], caller["span_id"], "{path}");
        assert_eq!(called["request_id"] == caller["request_id"], path != "/", "{path}");
    }
}
