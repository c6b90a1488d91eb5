//! Calls of gRPC methods: their codes, on lines and in metrics, and streams among them.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::routing::post;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use http_body_util::StreamBody;
use redpane::{GrpcMethod, Redpane};
use test_support::{Line, Observed, Samples, Scripted, Step, client};
use tokio::net::TcpListener;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::service::Routes;
use tonic::transport::{Channel, Endpoint, Server};
use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::server::HealthReporter;
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

/// The answer of gRPC-Web ends with its trailers in the body: without this, each good call looked like one without a code.
#[tokio::test]
async fn grpc_web_is_http() {
    for content_type in ["application/grpc-web+proto", "application/grpc-web-text", "application/grpcx"] {
        let observed = Observed::new();
        let answer = move |_: Request<Body>| {
            let body = Scripted::body([Step::Data("\0\0\0\0\u{1}a"), Step::Data("(trailers)")]);
            let response = Response::builder().header(header::CONTENT_TYPE, content_type);
            std::future::ready(Ok::<_, Infallible>(response.body(body).unwrap()))
        };
        let request = Request::post("/shop.Orders/Take").header(header::CONTENT_TYPE, content_type);
        let service = observed.telemetry.layer().layer(service_fn(answer));
        let answer = service.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        answer.into_body().collect().await.unwrap();
        let line = observed.only_request().await;
        assert_eq!((line.str("level"), line.get("grpc_code")), ("INFO", None), "{}", line.text);
        assert_eq!(observed.samples().sum("grpc_server_handled_total", &[]), 0.0);
    }
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

/// tonic's own health service behind the layer.
async fn tonic_server(observed: &Observed) -> (HealthClient<Channel>, HealthReporter, std::net::SocketAddr) {
    let (reporter, health) = tonic_health::server::health_reporter();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::builder().layer(observed.telemetry.layer()).add_service(health);
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    let channel = Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
    (HealthClient::new(channel), reporter, address)
}

fn of(service: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: service.into() }
}

#[tokio::test]
async fn tonic_unary_and_streaming() {
    let observed = Observed::new();
    let (mut client, reporter, _) = tonic_server(&observed).await;
    client.check(of("")).await.unwrap();
    // tonic answers an error without a body: its code is in the headers.
    client.check(of("nobody")).await.unwrap_err();
    let lines = observed.access_lines(2).await;
    let codes: Vec<_> =
        lines.iter().map(|line: &Line| (line.str("grpc_code"), line.str("level"), &line["status"])).collect();
    assert_eq!(codes, [("OK", "INFO", &200.into()), ("NotFound", "WARN", &200.into())]);
    assert_eq!(observed.samples().sum("http_requests_total", &[("status", "200")]), 2.0);
    assert_eq!(
        (handled(&observed.samples(), CHECK, "OK"), handled(&observed.samples(), CHECK, "NotFound")),
        (1.0, 1.0)
    );

    // The first answer of a method shows that it streams; the client that leaves cancels it.
    for round in 0..2 {
        let mut watch = client.watch(of("")).await.unwrap().into_inner();
        watch.next().await.unwrap().unwrap();
        let status = if round == 0 { ServingStatus::NotServing } else { ServingStatus::Serving };
        reporter.set_service_status("", status).await;
        watch.next().await.unwrap().unwrap();
        let streams = observed.samples().sum("http_streams_in_flight", &[("route", WATCH)]);
        assert_eq!(streams, f64::from(round), "the second is a stream from its headers on");
        drop(watch);
        observed.finished(3 + round as u64).await;
    }
    let stream = observed.messages("stream", 1).await.remove(0);
    assert_eq!((stream.str("grpc_code"), stream.str("route"), stream.str("outcome")), ("Canceled", WATCH, "aborted"));
    assert_eq!(handled(&observed.samples(), WATCH, "Canceled"), 2.0);
}

#[tokio::test]
async fn a_call_of_nothing_is_unmatched() {
    let observed = Observed::new();
    let (_, _, address) = tonic_server(&observed).await;
    let asked = client::request(Method::POST, "/other.Service/Call").header(header::CONTENT_TYPE, "application/grpc");
    let answer = client::send_http2(address, asked.body(Body::empty()).unwrap()).await;
    assert_eq!((answer.status, answer.header("grpc-status")), (StatusCode::OK, "12"));
    let line = observed.only_request().await;
    assert_eq!((line.str("route"), line.str("grpc_code"), line.str("level")), ("unmatched", "Unimplemented", "ERROR"));
    assert_eq!(handled(&observed.samples(), "unmatched", "Unimplemented"), 1.0);
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

#[tokio::test]
async fn a_declared_method_has_all_its_series_before_its_first_call() {
    let observed = Observed::with(declared);
    let samples = observed.samples();
    assert_eq!(samples.of("grpc_server_handled_total", &[]).count(), 5 * 17);
    for (method, kind) in
        [("Refused", "unary"), ("Two", "server_stream"), ("Upload", "client_stream"), ("Chat", "bidi_stream")]
    {
        let labels = [("grpc_method", method), ("grpc_type", kind), ("grpc_code", "Internal")];
        assert_eq!(samples.value("grpc_server_handled_total", &labels), 0.0);
        let labels = [("method", "POST"), ("route", &*format!("/shop.Orders/{method}")), ("status", "500")];
        assert_eq!(samples.value("http_requests_total", &labels), 0.0);
    }
}

/// Without the declaration both are `unmatched`: nobody knows whether there is such a method.
#[tokio::test]
async fn a_declared_method_that_only_fails_has_its_route_and_its_codes() {
    let observed = Observed::with(declared);
    called(&observed, "Refused", None).await;
    called(&observed, "Pending", Some(("grpc-timeout", "20m"))).await;
    let lines = observed.access_lines(2).await;
    let said: Vec<_> = lines.iter().map(|line: &Line| [line.str("route"), line.str("grpc_code")]).collect();
    let expected = [["/shop.Orders/Refused", "Unimplemented"], ["/shop.Orders/Pending", "DeadlineExceeded"]];
    assert_eq!(said, expected);
    for [route, code] in expected {
        assert_eq!(handled(&observed.samples(), route, code), 1.0);
    }
}

#[tokio::test]
async fn a_method_that_is_declared_to_stream_does_so_from_its_first_call_on() {
    let observed = Observed::with(declared);
    called(&observed, "Two", None).await;
    assert_eq!(observed.only_request().await.get("grpc_code"), None);
    assert_eq!(observed.messages("stream", 1).await[0].str("grpc_code"), "OK");
}

/// A call whose client streams for a while, and what has ended it.
struct ClientStream {
    observed: Observed,
    samples: Samples,
    line: Line,
}

/// Three messages come within 300 ms and more; then the method answers so.
async fn client_stream<B>(
    observed: Observed,
    method: &str,
    body: impl FnOnce(ReceiverStream<Result<Bytes, Infallible>>) -> B,
    answer: fn() -> Response<Body>,
) -> ClientStream
where
    B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
    B::Error: std::fmt::Debug,
{
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let service = observed.telemetry.layer().layer(service_fn(move |request: Request<B>| async move {
        request.into_body().collect().await.unwrap();
        Ok::<_, Infallible>(answer())
    }));
    let request = Request::post(format!("/shop.Orders/{method}")).header(header::CONTENT_TYPE, "application/grpc");
    let call = service.oneshot(request.body(body(ReceiverStream::new(receiver))).unwrap());
    let call = tokio::spawn(async move { call.await.unwrap().into_body().collect().await.unwrap() });
    for _ in 0..3 {
        sender.send(Ok(Bytes::from_static(b"\0\0\0\0\x01a"))).await.unwrap();
        tokio::time::sleep(Duration::from_millis(110)).await;
    }
    let samples = observed.samples();
    drop(sender);
    call.await.unwrap();
    let line = observed.only_request().await;
    ClientStream { observed, samples, line }
}

fn taken() -> Response<Body> {
    grpc(Scripted::body([ONE, Step::Trailers(trailers("0"))]))
}

fn refused() -> Response<Body> {
    let mut answer = grpc(Body::empty());
    answer.headers_mut().extend(trailers("8"));
    answer
}

fn seconds(line: &Line) -> f64 {
    line["duration_seconds"].as_f64().unwrap()
}

/// The answer comes when the client has sent all: a client of six hours must be no duration of six hours.
#[tokio::test]
async fn a_client_that_streams_makes_a_stream_and_no_long_request() {
    let not_declared = |redpane: Redpane| redpane;
    for (options, answer, code) in [
        (declared as fn(Redpane) -> Redpane, taken as fn() -> Response<Body>, "OK"),
        (declared, refused, "ResourceExhausted"),
        // Nobody has said what it is, and its request is seen to have more than one message.
        (not_declared, taken, "OK"),
    ] {
        let observed = Observed::with(options);
        let ClientStream { observed, samples, line } =
            client_stream(observed, "Upload", Body::from_stream, answer).await;
        let stream = observed.messages("stream", 1).await.remove(0);
        assert_eq!((stream.str("grpc_code"), line.get("grpc_code")), (code, None), "{}", stream.text);
        assert!(seconds(&line) < 0.2 && seconds(&stream) >= 0.33, "{} {}", line.text, stream.text);
        assert_eq!((line.str("route"), line.str("level")), ("/shop.Orders/Upload", "INFO"));
        assert_eq!(stream["trace_id"], line["trace_id"]);
        // Before its answer only the declaration tells.
        let before = samples.sum("http_streams_in_flight", &[("route", "/shop.Orders/Upload")]);
        assert_eq!(before, f64::from(samples.of("grpc_server_handled_total", &[]).count() > 0));
        let samples = observed.samples();
        assert_eq!(handled(&samples, "/shop.Orders/Upload", code), 1.0);
        assert_eq!(samples.sum("http_streams_total", &[("outcome", "complete")]), 1.0);
        assert_eq!(samples.sum("http_streams_in_flight", &[]), 0.0);
        assert_eq!(samples.sum("http_request_duration_seconds_bucket", &[("status", "200"), ("le", "0.25")]), 1.0);
        assert!(samples.sum("http_stream_duration_seconds_sum", &[]) >= 0.33);
    }
}

/// The layer cannot see what the method takes of a body that is not axum's.
#[tokio::test]
async fn a_declared_client_stream_whose_messages_nobody_sees_is_no_long_request_either() {
    let body = |receiver: ReceiverStream<Result<Bytes, Infallible>>| {
        StreamBody::new(receiver.map(|bytes| bytes.map(http_body::Frame::data)))
    };
    let called = client_stream(Observed::with(declared), "Chat", body, taken).await;
    let stream = called.observed.messages("stream", 1).await.remove(0);
    assert!(seconds(&called.line) == 0.0 && seconds(&stream) >= 0.33, "{} {}", called.line.text, stream.text);
}

#[tokio::test]
async fn a_client_that_leaves_its_stream_has_cancelled_it() {
    for (options, route) in
        [(declared as fn(Redpane) -> Redpane, "/shop.Orders/Chat"), (|redpane| redpane, "unmatched")]
    {
        let observed = Observed::with(options);
        let service = observed.telemetry.layer().layer(service_fn(|request: Request<Body>| async move {
            request.into_body().collect().await.unwrap();
            std::future::pending::<Result<Response<Body>, Infallible>>().await
        }));
        let body = Scripted::body([ONE, ONE, ONE]);
        let request = Request::post("/shop.Orders/Chat").header(header::CONTENT_TYPE, "application/grpc");
        let call = service.oneshot(request.body(body).unwrap());
        tokio::time::timeout(Duration::from_millis(300), call).await.unwrap_err();
        let line = observed.only_request().await;
        assert_eq!((line.str("route"), &line["status"], line.get("grpc_code")), (route, &499.into(), None));
        if route == "unmatched" {
            assert_eq!(observed.samples().sum("http_streams_total", &[]), 0.0, "nobody knows what was called");
            continue;
        }
        let stream = observed.messages("stream", 1).await.remove(0);
        let said = [stream.str("outcome"), stream.str("grpc_code"), stream.str("level")];
        assert_eq!(said, ["aborted", "Canceled", "INFO"], "{}", stream.text);
        assert_eq!(handled(&observed.samples(), route, "Canceled"), 1.0);
        assert_eq!(observed.samples().sum("http_streams_in_flight", &[]), 0.0);
    }
}

#[tokio::test]
async fn a_grpc_stream_may_be_a_request_to_its_end() {
    let observed =
        Observed::with(|redpane| declared(redpane).observe_until_end(["/shop.Orders/Two", "/shop.Orders/Upload"]));
    called(&observed, "Two", None).await;
    let line = observed.only_request().await;
    assert_eq!((line.str("grpc_code"), &line["response_bytes"]), ("OK", &12.into()));
    assert_eq!(observed.samples().sum("http_streams_total", &[]), 0.0);
    let observed = Observed::with(|redpane| declared(redpane).observe_until_end(["/shop.Orders/Upload"]));
    let called = client_stream(observed, "Upload", Body::from_stream, taken).await;
    assert!(seconds(&called.line) >= 0.33, "{}", called.line.text);
    assert_eq!(called.observed.samples().sum("http_streams_total", &[]), 0.0);
}

#[test]
fn methods_that_cannot_be_are_named() {
    let of = |service: &str, method| Redpane::new("test").grpc_service(service, [GrpcMethod::unary(method)]);
    for (redpane, expected) in [
        (of("/shop.Orders", "Take"), "grpc_service(\"/shop.Orders\", \"Take\"): names as in the path of a call"),
        (of("shop.Orders", "shop.Orders/Take"), "names as in the path of a call"),
        (of("", "Take"), "names as in the path of a call"),
        (of("s.O", "T").grpc_service("s.O", [GrpcMethod::bidi_streaming("T")]), "this method is declared already"),
    ] {
        let error = redpane.build().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

/// A method behind tonic's own server, as an axum route has it.
async fn behind_tonic(
    observed: &Observed,
    server: Server,
    method: axum::routing::MethodRouter,
) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let routes = Routes::from(axum::Router::new().route("/shop.Orders/Upload", method));
    let mut server = server.layer(observed.telemetry.layer());
    let server = server.add_routes(routes);
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    address
}

fn upload(address: std::net::SocketAddr, body: Body) -> Request<Body> {
    let asked = client::request(Method::POST, "/shop.Orders/Upload").header(header::CONTENT_TYPE, "application/grpc");
    client::for_http2(address, asked.body(body).unwrap())
}

/// What enforces tonic's time limits is outside of all layers that an application adds: the call is dropped like that of a
/// client that leaves.
#[tokio::test]
async fn a_time_limit_of_tonics_server_drops_the_call() {
    let observed = Observed::with(|redpane| redpane.grpc_service("shop.Orders", [GrpcMethod::unary("Upload")]));
    let server = Server::builder().timeout(Duration::from_millis(50));
    let pending = post(async || std::future::pending::<()>().await);
    let address = behind_tonic(&observed, server, pending).await;
    let answer = client::send_http2(address, upload(address, Body::empty())).await;
    assert_eq!(answer.header("grpc-status"), "1", "tonic tells the client that it was cancelled");
    let line = observed.only_request().await;
    assert_eq!((&line["status"], line.str("outcome"), line.str("grpc_code")), (&499.into(), "aborted", "Canceled"));
}

/// The body of its request is seen, although it is not axum's where the layer is.
#[cfg(feature = "tonic")]
#[tokio::test]
async fn a_client_that_streams_to_tonics_server_is_seen() {
    let observed = Observed::new();
    let method = post(async |request: Request<Body>| {
        request.into_body().collect().await.unwrap();
        taken()
    });
    let address = behind_tonic(&observed, Server::builder(), method).await;
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<Bytes, Infallible>>(1);
    let mut connection = client::connect_http2(address).await;
    let call = connection.send_request(upload(address, Body::from_stream(ReceiverStream::new(receiver))));
    let call = tokio::spawn(async move { client::read(call.await.unwrap()).await });
    for _ in 0..2 {
        sender.send(Ok(Bytes::from_static(b"\0\0\0\0\x01a"))).await.unwrap();
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    drop(sender);
    call.await.unwrap();
    let (line, stream) = (observed.only_request().await, observed.messages("stream", 1).await.remove(0));
    assert!(seconds(&line) < 0.1 && seconds(&stream) >= 0.3, "{} {}", line.text, stream.text);
    assert_eq!((&line["request_bytes"], stream.str("grpc_code")), (&12.into(), "OK"));
}
