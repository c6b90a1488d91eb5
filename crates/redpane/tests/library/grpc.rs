//! Calls of gRPC methods: their codes, on lines and in metrics, and streams among them.

mod client_streams;
mod declared;
mod tonic;
mod web;

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use http::{HeaderMap, HeaderValue, Request, Response, header};
use http_body_util::BodyExt;
use redpane::{GrpcMethod, Redpane};
use test_support::{Line, Observed, Samples, Scripted, Step};
use tower::{Layer, ServiceExt, service_fn};

const CHECK: &str = "/grpc.health.v1.Health/Check";
const WATCH: &str = "/grpc.health.v1.Health/Watch";

fn trailers(code: &'static str) -> HeaderMap {
    HeaderMap::from_iter([("grpc-status".parse().unwrap(), HeaderValue::from_static(code))])
}

const ONE: Step = Step::Data("\0\0\0\0\u{1}a");

fn grpc(body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}

/// A method for each way to end, as its name says.
async fn methods(request: Request<Body>) -> Result<Response<Body>, Infallible> {
    let name = request.uri().path().rsplit('/').next().unwrap();
    let body = match name {
        _ if request.headers().contains_key("x-first") => Scripted::body([ONE, Step::Trailers(trailers("0"))]),
        "Fine" => Scripted::body([ONE, Step::Trailers(trailers("0"))]),
        "NotFound" => Scripted::body([ONE, Step::Trailers(trailers("5"))]),
        "Internal" => Scripted::body([ONE, Step::Trailers(trailers("13"))]),
        "Silent" => Scripted::body([ONE]),
        "Nonsense" => Scripted::body([ONE, Step::Trailers(trailers("99"))]),
        "Two" => Scripted::body([ONE, ONE, Step::Trailers(trailers("0"))]),
        "Breaks" => Scripted::body([ONE, Step::Error]),
        "Refused" => Body::empty(),
        "Panics" => panic!("the method falls over"),
        _ => std::future::pending().await,
    };
    let mut answer = grpc(body);
    if name == "Refused" {
        answer.headers_mut().extend(trailers("12"));
    }
    Ok(answer)
}

/// Calls a method in process, and leaves where that takes long.
async fn called(observed: &Observed, method: &str, header: Option<(&str, &str)>) {
    let mut request = Request::post(format!("/shop.Orders/{method}")).header(header::CONTENT_TYPE, "application/grpc");
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    let service = observed.telemetry.layer().layer(service_fn(methods));
    let call = service.oneshot(request.body(Body::empty()).unwrap());
    if let Ok(answer) = tokio::time::timeout(Duration::from_millis(60), call).await {
        // Some break.
        let _ = answer.unwrap().into_body().collect().await;
    }
}

fn handled(samples: &Samples, route: &str, code: &str) -> f64 {
    let (service, method) = route.trim_start_matches('/').split_once('/').unwrap_or((route, route));
    samples
        .value("grpc_server_handled_total", &[("grpc_service", service), ("grpc_method", method), ("grpc_code", code)])
}

#[tokio::test]
async fn every_end_has_its_code_and_its_level() {
    for (method, timeout, code, level) in [
        ("Fine", None, "OK", "INFO"),
        ("NotFound", None, "NotFound", "WARN"),
        ("Internal", None, "Internal", "ERROR"),
        ("Silent", None, "Unknown", "ERROR"),
        ("Nonsense", None, "Unknown", "ERROR"),
        ("Breaks", None, "Internal", "ERROR"),
        ("Panics", None, "Unknown", "ERROR"),
        ("Pending", None, "Canceled", "WARN"),
        ("Pending", Some("9S"), "Canceled", "WARN"),
        ("Pending", Some("20m"), "DeadlineExceeded", "ERROR"),
    ] {
        let observed = Observed::new();
        // A method is known from its first answer on.
        called(&observed, method, Some(("x-first", "yes"))).await;
        called(&observed, method, timeout.map(|timeout| ("grpc-timeout", timeout))).await;
        let line = observed.access_lines(2).await.remove(1);
        let route = format!("/shop.Orders/{method}");
        assert_eq!(
            [line.str("grpc_code"), line.str("level"), line.str("route")],
            [code, level, &route],
            "{}",
            line.text
        );
        let samples = observed.samples();
        let counted = if code == "OK" { 2.0 } else { 1.0 };
        assert_eq!(handled(&samples, &route, code), counted, "{method}");
        assert_eq!(samples.sum("grpc_server_handled_total", &[]), 2.0, "{method}");
        let all = samples.of("grpc_server_handled_total", &[]).count();
        assert_eq!(all, 17, "every code is there for rate()");
    }
}

#[tokio::test]
async fn a_method_whose_answer_had_two_messages_is_a_stream_from_then_on() {
    let observed = Observed::new();
    called(&observed, "Two", None).await;
    let first = observed.only_request().await;
    assert_eq!((first.str("grpc_code"), first.str("outcome")), ("OK", "complete"));
    called(&observed, "Two", None).await;
    let lines = observed.access_lines(2).await;
    assert_eq!(lines[1].get("grpc_code"), None, "its code comes with the stream's end");
    let stream = observed.messages("stream", 1).await.remove(0);
    assert_eq!((stream.str("grpc_code"), &stream["trace_id"]), ("OK", &lines[1]["trace_id"]));
    let samples = observed.samples();
    assert_eq!(samples.value("http_stream_duration_seconds_count", &[("route", "/shop.Orders/Two")]), 2.0);
    assert_eq!(handled(&samples, "/shop.Orders/Two", "OK"), 2.0);
}

/// Most streams have no other end than that their client leaves.
#[tokio::test]
async fn a_client_that_leaves_a_stream_is_no_failure() {
    for (end, timeout, code, level) in [
        (None, None, "Canceled", "INFO"),
        (None, Some("1n"), "DeadlineExceeded", "INFO"),
        (Some("1"), None, "Canceled", "WARN"),
        (Some("4"), None, "DeadlineExceeded", "ERROR"),
        (Some("5"), None, "NotFound", "WARN"),
        (Some("13"), None, "Internal", "ERROR"),
        (Some("0"), None, "OK", "INFO"),
    ] {
        let observed = Observed::new();
        called(&observed, "Two", None).await;
        let method = move |_: Request<Body>| {
            let last = end.map_or(Step::Hang, |code| Step::Trailers(trailers(code)));
            std::future::ready(Ok::<_, Infallible>(grpc(Scripted::body([ONE, last]))))
        };
        let mut request = Request::post("/shop.Orders/Two").header(header::CONTENT_TYPE, "application/grpc");
        if let Some(timeout) = timeout {
            request = request.header("grpc-timeout", timeout);
        }
        let service = observed.telemetry.layer().layer(service_fn(method));
        let mut body = service.oneshot(request.body(Body::empty()).unwrap()).await.unwrap().into_body();
        body.frame().await.unwrap().unwrap();
        match end {
            Some(_) => drop(body.collect().await.unwrap()),
            None => drop(body),
        }
        let stream = observed.messages("stream", 1).await.remove(0);
        assert_eq!([stream.str("grpc_code"), stream.str("level")], [code, level], "{}", stream.text);
    }
}

/// Anybody can send such a request to anything.
#[tokio::test]
async fn a_failure_before_the_headers_has_a_code_only_where_the_method_is_known() {
    for (requests, others) in [(1, &[][..]), (3, &["Refused", "Fine"])] {
        let observed = Observed::new();
        for other in others {
            called(&observed, other, None).await;
        }
        called(&observed, "Pending", None).await;
        let line = observed.access_lines(requests).await.pop().unwrap();
        assert_eq!((line.str("route"), line.get("grpc_code")), ("unmatched", None), "{}", line.text);
        assert_eq!(observed.samples().sum("grpc_server_handled_total", &[("grpc_code", "Canceled")]), 0.0);
    }
}

/// What is known of a route is known too where the request looked like a call of something else.
#[tokio::test]
async fn what_turns_out_to_be_a_route_is_treated_as_that() {
    let observed = Observed::with(|redpane| redpane.observe_until_headers(["/logs/{id}"]));
    let follow = || async { Scripted::body([ONE, Step::Hang]) };
    let router = axum::Router::new().route("/logs/{id}", axum::routing::post(follow));
    let service = observed.telemetry.clone().instrument(router);
    let request = Request::post("/logs/7").header(header::CONTENT_TYPE, "application/grpc").body(Body::empty());
    let answer = service.oneshot(request.unwrap()).await.unwrap();
    let line = observed.only_request().await;
    assert_eq!((line.str("route"), line.str("outcome"), line.get("grpc_code")), ("/logs/{id}", "complete", None));
    drop(answer);
    assert_eq!(observed.messages("stream", 1).await[0].str("outcome"), "aborted");
}

#[tokio::test]
async fn what_is_no_grpc_has_no_code() {
    let observed = Observed::new();
    let plain = |_: Request<Body>| async { Ok::<_, Infallible>(Response::new(Body::from("hello"))) };
    let service = observed.telemetry.layer().layer(service_fn(plain));
    let request = Request::post("/a.B/C").header(header::CONTENT_TYPE, "application/grpc").body(Body::empty()).unwrap();
    service.oneshot(request).await.unwrap().into_body().collect().await.unwrap();
    assert_eq!(observed.only_request().await.get("grpc_code"), None);
    assert_eq!(observed.samples().sum("grpc_server_handled_total", &[]), 0.0);
}

fn declared(redpane: Redpane) -> Redpane {
    let methods = [
        GrpcMethod::unary("Refused"),
        GrpcMethod::unary("Pending"),
        GrpcMethod::server_streaming("Two"),
        GrpcMethod::client_streaming("Upload"),
        GrpcMethod::bidi_streaming("Chat"),
    ];
    redpane.grpc_service("shop.Orders", methods)
}

fn taken() -> Response<Body> {
    grpc(Scripted::body([ONE, Step::Trailers(trailers("0"))]))
}

fn seconds(line: &Line) -> f64 {
    line["duration_seconds"].as_f64().unwrap()
}
