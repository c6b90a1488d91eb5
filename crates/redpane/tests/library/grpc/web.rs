//! gRPC-Web by tonic-web, on either side of redpane's layer.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::body::{Body, Bytes};
use http::{Method, Request, Response, header};
use http_body_util::BodyExt;
use test_support::client::{self, Answer};
use test_support::{Observed, Samples, Scripted, Step};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic_web::GrpcWebLayer;
use tower::{Layer, ServiceExt, service_fn};

use super::{CHECK, WATCH};

/// A message without a field: the health of the whole server. With the name of a service that nobody has, it is not found.
const WHOLE: &[u8] = &[0; 5];
const NOBODY: &[u8] = b"\0\0\0\0\x03\x0a\x01x";

/// tonic's health service over HTTP/1.1, as a browser asks for it.
async fn serve(observed: &Observed, redpane_is_inside: bool) -> SocketAddr {
    let (_, health) = tonic_health::server::health_reporter();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, incoming) = (listener.local_addr().unwrap(), TcpListenerStream::new(listener));
    let (server, redpane, web) =
        (Server::builder().accept_http1(true), observed.telemetry.layer(), GrpcWebLayer::new());
    if redpane_is_inside {
        tokio::spawn(server.layer(web).layer(redpane).add_service(health).serve_with_incoming(incoming));
    } else {
        tokio::spawn(server.layer(redpane).layer(web).add_service(health).serve_with_incoming(incoming));
    }
    address
}

async fn call(address: SocketAddr, path: &str, content_type: &str, message: impl Into<Bytes>) -> Answer {
    let request = client::request(Method::POST, path).header(header::CONTENT_TYPE, content_type);
    let request = request.header(header::ACCEPT, content_type);
    client::send(address, request.body(Body::from(message.into())).unwrap()).await
}

fn handled(samples: &Samples, method: &str, code: &str) -> f64 {
    samples.sum("grpc_server_handled_total", &[("grpc_method", method), ("grpc_code", code)])
}

#[tokio::test]
async fn outside_of_redpane_it_makes_calls_of_grpc_of_them() {
    let observed = Observed::new();
    let address = serve(&observed, true).await;
    let answer = call(address, CHECK, "application/grpc-web+proto", WHOLE).await;
    assert_eq!(answer.header("content-type"), "application/grpc-web+proto");
    assert!(answer.body.windows(13).any(|part| part == b"grpc-status:0"), "the client has its code: {:?}", answer.body);
    let text = call(address, CHECK, "application/grpc-web-text+proto", "AAAAAAA=").await;
    assert_eq!((text.header("content-type"), text.whole), ("application/grpc-web-text+proto", true));
    let refused = call(address, CHECK, "application/grpc-web", NOBODY).await;
    assert_eq!(refused.header("grpc-status"), "5");
    let lines = observed.access_lines(3).await;
    let seen = lines.iter().map(|line| (line.str("route"), line.str("grpc_code"), line.str("level")));
    let expected = [(CHECK, "OK", "INFO"), (CHECK, "OK", "INFO"), (CHECK, "NotFound", "WARN")];
    assert_eq!(seen.collect::<Vec<_>>(), expected);
    let samples = observed.samples();
    assert_eq!((handled(&samples, "Check", "OK"), handled(&samples, "Check", "NotFound")), (2.0, 1.0));
}

#[tokio::test]
async fn a_stream_of_it_is_one() {
    let health = [redpane::GrpcMethod::unary("Check"), redpane::GrpcMethod::server_streaming("Watch")];
    let observed = Observed::with(|redpane| redpane.grpc_service("grpc.health.v1.Health", health));
    let address = serve(&observed, true).await;
    let mut sender = client::keep_alive(address).await;
    let request = client::request(Method::POST, WATCH).header(header::CONTENT_TYPE, "application/grpc-web+proto");
    let mut answer = sender.send_request(request.body(Body::from(WHOLE)).unwrap()).await.unwrap();
    answer.body_mut().frame().await.unwrap().unwrap();
    let line = observed.only_request().await;
    assert_eq!((line.str("route"), line.get("grpc_code")), (WATCH, None), "its request is over");
    assert_eq!(observed.samples().sum("http_streams_in_flight", &[("route", WATCH)]), 1.0);
    drop((answer, sender));
    let stream = observed.messages("stream", 1).await.remove(0);
    assert_eq!((stream.str("grpc_code"), stream.str("outcome"), stream.str("level")), ("Canceled", "aborted", "INFO"));
}

/// What the layer refuses itself never comes so far.
#[tokio::test]
async fn outside_of_redpane_it_refuses_what_is_no_call_unseen() {
    let observed = Observed::new();
    let address = serve(&observed, true).await;
    assert_eq!(client::get(address, "/").await.status, 400, "all of HTTP/1.1 that is not gRPC-Web");
    let request = client::request(Method::GET, CHECK).header(header::CONTENT_TYPE, "application/grpc-web");
    assert_eq!(client::send(address, request.body(Body::empty()).unwrap()).await.status, 405);
    observed.finished(0).await;
}

#[tokio::test]
async fn inside_of_redpane_it_is_http_without_a_method() {
    let observed = Observed::new();
    let address = serve(&observed, false).await;
    call(address, CHECK, "application/grpc-web+proto", WHOLE).await;
    call(address, CHECK, "application/grpc-web+proto", NOBODY).await;
    assert_eq!(client::get(address, "/").await.status, 400);
    let lines = observed.access_lines(3).await;
    let seen = lines.iter().map(|line| (line.str("route"), line.get("grpc_code"), &line["status"]));
    let (ok, bad) = (200.into(), 400.into());
    assert_eq!(
        seen.collect::<Vec<_>>(),
        [("unmatched", None, &ok), ("unmatched", None, &ok), ("unmatched", None, &bad)]
    );
    assert_eq!(observed.samples().sum("grpc_server_handled_total", &[]), 0.0);
}

/// axum's router around tonic's services, in which the route of the router is there.
#[tokio::test]
async fn in_a_router_of_axum() {
    let observed = Observed::new();
    let (_, health) = tonic_health::server::health_reporter();
    let routes = tonic::service::Routes::new(health).into_axum_router();
    let app = observed.telemetry.clone().instrument(routes).layer(GrpcWebLayer::new());
    let address = test_support::serve(app).await;
    call(address, CHECK, "application/grpc-web+proto", WHOLE).await;
    let line = observed.only_request().await;
    assert_eq!(
        (line.str("route"), line.str("grpc_code")),
        (CHECK, "OK"),
        "the layer that was added last is the outermost"
    );

    let observed = Observed::new();
    let (_, health) = tonic_health::server::health_reporter();
    let routes = tonic::service::Routes::new(health).into_axum_router();
    let app = observed.telemetry.clone().instrument(routes.layer(GrpcWebLayer::new()));
    let address = test_support::serve(app).await;
    call(address, CHECK, "application/grpc-web+proto", WHOLE).await;
    let line = observed.only_request().await;
    assert_eq!((line.str("route"), line.get("grpc_code")), ("/grpc.health.v1.Health/{*rest}", None));
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
