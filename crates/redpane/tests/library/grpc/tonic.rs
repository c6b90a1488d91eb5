//! tonic's own server and client.

#[cfg(feature = "tonic")]
use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
#[cfg(feature = "tonic")]
use axum::body::Bytes;
use axum::routing::post;
use http::{Method, Request, StatusCode, header};
#[cfg(feature = "tonic")]
use http_body_util::BodyExt;
use redpane::{GrpcMethod, Redpane};
use test_support::{Line, Observed, client};
use tokio::net::TcpListener;
use tokio_stream::StreamExt;
#[cfg(feature = "tonic")]
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::service::Routes;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Request as Call};
use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::server::HealthReporter;

use super::{CHECK, WATCH, handled};
#[cfg(feature = "tonic")]
use super::{seconds, taken};

/// tonic's own health service behind the layer.
async fn tonic_server(observed: &Observed) -> (HealthClient<Channel>, HealthReporter, SocketAddr) {
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

/// A method behind tonic's own server, as an axum route has it.
async fn behind_tonic(observed: &Observed, server: Server, method: axum::routing::MethodRouter) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let routes = Routes::from(axum::Router::new().route("/shop.Orders/Upload", method));
    let mut server = server.layer(observed.telemetry.layer());
    let server = server.add_routes(routes);
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    address
}

fn upload(address: SocketAddr, body: Body) -> Request<Body> {
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

/// A server whose method `Check` never answers.
async fn silent(observed: &Observed) -> HealthClient<Channel> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let routes = Routes::from(axum::Router::new().route(CHECK, post(async || std::future::pending::<()>().await)));
    let mut server = Server::builder().layer(observed.telemetry.layer());
    tokio::spawn(server.add_routes(routes).serve_with_incoming(TcpListenerStream::new(listener)));
    HealthClient::new(Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap())
}

fn with_health(redpane: Redpane) -> Redpane {
    redpane.grpc_service("grpc.health.v1.Health", [GrpcMethod::unary("Check"), GrpcMethod::server_streaming("Watch")])
}

/// tonic's client takes its call back when it is dropped, and when the time that it was given is over.
#[tokio::test]
async fn a_client_of_tonics_cancels_and_has_deadlines() {
    let observed = Observed::with(with_health);
    let mut client = silent(&observed).await;
    tokio::time::timeout(Duration::from_millis(100), client.check(of(""))).await.unwrap_err();
    let line = observed.only_request().await;
    assert_eq!([line.str("grpc_code"), line.str("outcome"), line.str("level")], ["Canceled", "aborted", "WARN"]);
    let mut call = Call::new(of(""));
    call.set_timeout(Duration::from_millis(150));
    assert_eq!(client.check(call).await.unwrap_err().code(), Code::Cancelled, "as tonic calls it");
    let line = observed.access_lines(2).await.remove(1);
    assert_eq!(
        [line.str("grpc_code"), line.str("outcome"), line.str("level")],
        ["DeadlineExceeded", "aborted", "ERROR"],
        "{}",
        line.text
    );
    let samples = observed.samples();
    assert_eq!((handled(&samples, CHECK, "Canceled"), handled(&samples, CHECK, "DeadlineExceeded")), (1.0, 1.0));
}

/// The deadline of a stream is how many clients end it: no failure.
#[tokio::test]
async fn a_deadline_ends_a_stream() {
    let observed = Observed::with(with_health);
    let (mut client, _reporter, _) = tonic_server(&observed).await;
    let mut call = Call::new(of(""));
    call.set_timeout(Duration::from_millis(200));
    let mut watch = client.watch(call).await.unwrap().into_inner();
    watch.next().await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_millis(250)).await;
    drop((watch, client));
    let stream = observed.messages("stream", 1).await.remove(0);
    let said = [stream.str("grpc_code"), stream.str("outcome"), stream.str("level")];
    assert_eq!(said, ["DeadlineExceeded", "aborted", "INFO"], "{}", stream.text);
}
