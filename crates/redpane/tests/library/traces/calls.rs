//! CLIENT spans: calls through the outgoing layer.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Request, Response};
use test_support::otlp::{Receiver, Span, SpanKind, Value};
use test_support::{client as http_client, until};
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tracing::Instrument;
use tracing::subscriber::set_default;
use tracing_subscriber::layer::SubscriberExt;

use super::{attribute, exported, flush, observed, text};
use crate::examples::start_with;

/// The next service got the CLIENT span as its parent, and that is a child of the SERVER span.
#[tokio::test]
async fn a_call_is_a_span_between_the_two_services() {
    let receiver = Receiver::start().await;
    let observed = observed(&receiver, |otlp| otlp);
    let layer = observed.telemetry.outgoing_layer("orders");
    let next = service_fn(|request: Request<Body>| async move {
        let parent = request.headers()["traceparent"].clone();
        Ok::<_, Infallible>(Response::builder().header("got", parent).body(Body::empty()).unwrap())
    });
    let client = ServiceBuilder::new().layer(layer).service(next);
    let handler = move || async move {
        let request = Request::get("http://ada:secret@orders:8000/checkout?token=secret").body(Body::empty()).unwrap();
        let answer = client.oneshot(request).await.unwrap();
        answer.headers()["got"].to_str().unwrap().to_owned()
    };
    let app = observed.telemetry.clone().instrument(Router::new().route("/", get(handler)));
    let answer = app.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
    let got = axum::body::to_bytes(answer.into_body(), 100).await.unwrap();
    flush(&observed).await;
    let spans = receiver.spans();
    assert_eq!((spans.len(), exported(&observed)), (2, 2), "{spans:?}");
    let of = |kind| spans.iter().find(|span| span.kind == kind as i32).expect("it is there");
    let (server, client) = (of(SpanKind::Server), of(SpanKind::Client));
    assert_eq!((&client.parent_span_id, &client.trace_id), (&server.span_id, &server.trace_id));
    let sent: String = client.span_id.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(std::str::from_utf8(&got).unwrap().split('-').nth(2), Some(&*sent));
    assert_eq!(text(client, "url.full"), "http://orders:8000/checkout");
    assert_eq!(text(client, "peer.service"), "orders", "whom a map of services shows where it does not answer");
    assert_eq!((text(client, "server.address"), text(client, "http.request.method")), ("orders".into(), "GET".into()));
}

/// The examples of clients, hyper-util's and reqwest.
#[tokio::test]
async fn calls_of_the_examples_are_spans() {
    for (example, around) in [("client", SpanKind::Server), ("reqwest", SpanKind::Internal)] {
        let receiver = Receiver::start().await;
        let endpoint = receiver.endpoint();
        let variables = [("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &*endpoint), ("OTEL_BSP_SCHEDULE_DELAY", "1")];
        let (_process, [address]) = start_with(example, &variables).await;
        http_client::get(address, "/orders/7").await;
        let count = if around == SpanKind::Server { 3 } else { 4 };
        let spans = until("all spans came", || Some(receiver.spans()).filter(|spans| spans.len() == count)).await;
        let of = |kind| spans.iter().filter(move |span| span.kind == kind as i32);
        let (call, stock) = (of(SpanKind::Client).next().unwrap(), named(&spans, "GET /stock/{order}"));
        assert_eq!(stock.parent_span_id, call.span_id, "{example}: {spans:#?}");
        assert!(of(around).any(|span| span.span_id == call.parent_span_id), "{example}: {spans:#?}");
        assert_eq!(text(call, "server.address"), "127.0.0.1");
    }
}

fn named<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("{name}: {spans:#?}"))
}

/// Two telemetries observe one request, and both see the spans of `tracing` in it.
#[tokio::test]
async fn a_call_is_below_the_innermost_span_and_two_telemetries_do_not_disturb_each_other() {
    let receivers = [Receiver::start().await, Receiver::start().await];
    let [one, other] = [0, 1].map(|at: usize| observed(&receivers[at], |otlp| otlp));
    let layers = tracing_subscriber::registry().with(one.telemetry.log_layer()).with(other.telemetry.log_layer());
    let _subscriber = set_default(layers);
    let next = service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Body::empty())));
    let client = ServiceBuilder::new().layer(one.telemetry.outgoing_layer("orders")).service(next);
    let call = move || {
        let request = Request::get("http://orders/").body(Body::empty()).unwrap();
        client.clone().oneshot(request)
    };
    let handler = move || async move {
        let outer = async {
            async { call().await.unwrap() }.instrument(tracing::info_span!("inner")).await;
        };
        outer.instrument(tracing::info_span!("outer")).await;
        let left = tracing::info_span!("left");
        let entered = left.enter();
        drop(tracing::info_span!("within").entered());
        drop(entered);
        call().await.unwrap();
    };
    let router = Router::new().route("/", get(handler));
    // The current request is that of the inner one, whose layer makes the calls.
    let app = router.layer(one.telemetry.layer()).layer(other.telemetry.layer());
    let request = Request::get("/").header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    app.oneshot(request.header("tracestate", "vendor=1").body(Body::empty()).unwrap()).await.unwrap();
    for (observed, receiver, calls) in [(&one, &receivers[0], 2), (&other, &receivers[1], 0)] {
        flush(observed).await;
        let spans = receiver.spans();
        assert_eq!((spans.len(), exported(observed)), (5 + calls, 5 + calls as u64), "{spans:?}");
        assert!(spans.iter().all(|span| span.trace_state == "vendor=1"), "{spans:?}");
        let id = |name: &str| &spans.iter().find(|span| span.name == name).unwrap().span_id;
        let parents: Vec<_> = ["GET /", "outer", "inner", "left", "within"]
            .map(|name| spans.iter().find(|span| span.name == name).unwrap().parent_span_id.clone())
            .to_vec();
        assert_eq!(parents[1..], [id("GET /"), id("outer"), id("GET /"), id("left")].map(Clone::clone));
        let of_calls: Vec<_> =
            spans.iter().filter(|span| span.name == "GET").map(|span| &span.parent_span_id).collect();
        assert_eq!(of_calls, [id("inner"), id("GET /")][..calls]);
    }
}

/// Nobody has the spans of a route that logs failures only: those of the services below would hang from nothing.
#[tokio::test]
async fn below_a_quiet_route_no_trace_is_sampled() {
    let receiver = Receiver::start().await;
    let observed = observed(&receiver, |otlp| otlp.keep(redpane::TraceKeep::NONE));
    let layer = observed.telemetry.outgoing_layer("orders");
    let next = service_fn(|request: Request<Body>| async move {
        let parent = request.headers()["traceparent"].clone();
        Ok::<_, Infallible>(Response::builder().header("got", parent).body(Body::empty()).unwrap())
    });
    let client = ServiceBuilder::new().layer(layer).service(next);
    let handler = move |headers: http::HeaderMap| async move {
        let context = redpane::current().unwrap();
        assert!(context.outgoing_headers()["traceparent"].to_str().unwrap().ends_with("-00"));
        let answer = client.oneshot(Request::get("http://orders/").body(Body::empty()).unwrap()).await.unwrap();
        assert!(answer.headers()["got"].to_str().unwrap().ends_with("-00"));
        if headers.contains_key("fail") { http::StatusCode::SERVICE_UNAVAILABLE } else { http::StatusCode::OK }
    };
    let app = observed.telemetry.clone().instrument(Router::new().route("/healthz", get(handler)));
    let asked =
        || Request::get("/healthz").header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    app.clone().oneshot(asked().body(Body::empty()).unwrap()).await.unwrap();
    app.oneshot(asked().header("fail", "").body(Body::empty()).unwrap()).await.unwrap();
    flush(&observed).await;
    // Of the one that failed, as it was sampled on arrival.
    let spans = receiver.spans();
    let names: Vec<_> = spans.iter().map(|span| (&*span.name, span.flags & 1)).collect();
    assert_eq!(names, [("GET", 0), ("GET /healthz", 0)], "{spans:#?}");
}

/// The attributes of the CLIENT span of one call, whose answer has this body.
async fn span_of_call(request: Request<Body>, body: Body) -> Span {
    let receiver = Receiver::start().await;
    let observed = observed(&receiver, |otlp| otlp);
    let layer = observed.telemetry.outgoing_layer("orders");
    let answer = Mutex::new(Some(body));
    let next = service_fn(move |_: Request<Body>| {
        let body = answer.lock().unwrap().take().unwrap();
        async move { Ok::<_, Infallible>(Response::new(body)) }
    });
    let client = ServiceBuilder::new().layer(layer).service(next);
    let call = Arc::new(Mutex::new(Some((client, request))));
    let handler = move || async move {
        let (client, request) = call.lock().unwrap().take().unwrap();
        let answer = client.oneshot(request).await.unwrap();
        let _ = axum::body::to_bytes(Body::new(answer.into_body()), 100).await;
    };
    let app = observed.telemetry.clone().instrument(Router::new().route("/", get(handler)));
    app.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
    flush(&observed).await;
    receiver.spans().into_iter().find(|span| span.kind == SpanKind::Client as i32).unwrap()
}

fn call_to(target: &str) -> http::request::Builder {
    Request::get(target)
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_the_status() {
    let parts = futures_util::stream::iter([Ok("part"), Err(std::io::Error::other("reset"))]);
    let request = call_to("http://orders/").body(Body::empty()).unwrap();
    let span = span_of_call(request, Body::from_stream(parts)).await;
    assert_eq!(text(&span, "error.type"), "body_error");
    assert_eq!(attribute(&span.attributes, "http.response.status_code"), Some(&Value::IntValue(200)));
}

#[tokio::test]
async fn a_method_that_is_no_label_is_an_attribute() {
    for (method, label, original) in [("BREW", "_OTHER", Some("BREW")), ("QUERY", "QUERY", None)] {
        let request = call_to("http://orders/").method(method).body(Body::empty()).unwrap();
        let span = span_of_call(request, Body::empty()).await;
        assert_eq!(text(&span, "http.request.method"), label);
        let found = attribute(&span.attributes, "http.request.method_original");
        assert_eq!(found, original.map(|method| Value::StringValue(method.into())).as_ref());
    }
}

/// A target that is a path alone goes over a connection that is open already: nothing is said of it that nobody knows.
#[tokio::test]
async fn where_a_call_goes_is_told_as_far_as_it_is_known() {
    let text = |text: &str| Some(Value::StringValue(text.into()));
    for (target, host, [url, path, address], port) in [
        ("http://u:p@[::1]:8000/a?b", None, [text("http://[::1]:8000/a"), None, text("::1")], Some(8000)),
        ("https://orders/a", None, [text("https://orders/a"), None, text("orders")], Some(443)),
        ("/a?b", Some("orders:8000"), [None, text("/a"), text("orders")], Some(8000)),
        ("/a", Some("orders"), [None, text("/a"), text("orders")], None),
        ("/a", None, [None, text("/a"), None], None),
    ] {
        let mut request = call_to(target);
        if let Some(host) = host {
            request = request.header("host", host);
        }
        let span = span_of_call(request.body(Body::empty()).unwrap(), Body::empty()).await;
        let found = ["url.full", "url.path", "server.address"].map(|key| attribute(&span.attributes, key).cloned());
        assert_eq!(found, [url, path, address], "{target}");
        let port = port.map(Value::IntValue);
        assert_eq!(attribute(&span.attributes, "server.port"), port.as_ref(), "{target}");
    }
}
