//! How requests come over the wire: pipelined, over HTTP/2, half-closed, upgraded, not HTTP at all.

use axum::Router;
use axum::body::Body;
use axum::routing::{get, options};
use http::{HeaderMap, Method, StatusCode, header};
use test_support::client::{self, request};
use test_support::{Observed, Scripted, Step, raw};
use tokio::io::AsyncWriteExt;

use super::assert_line;

#[tokio::test]
async fn pipelined() {
    let observed = Observed::new();
    let router = Router::new().route("/1", get(|| async { "one" })).route("/2", get(|| async { "two" }));
    let both = "GET /1 HTTP/1.1\r\nhost: a\r\nx-request-id: first\r\n\r\n\
        GET /2 HTTP/1.1\r\nhost: a\r\nx-request-id: second\r\nconnection: close\r\n\r\n";
    let answers = raw::exchange(observed.serve(router).await, both).await;
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 2, "{answers}");

    let lines = observed.access_lines(2).await;
    assert_line(&lines[0], "INFO complete GET /1 200");
    assert_line(&lines[1], "INFO complete GET /2 200");
    assert_eq!((&lines[0]["request_id"], &lines[1]["request_id"]), (&"first".into(), &"second".into()));
    assert_ne!(lines[0]["trace_id"], lines[1]["trace_id"]);
    assert_eq!(lines[0]["client"], lines[1]["client"], "one connection");
    assert!(lines.iter().all(|line| answers.contains(line.str("trace_id"))), "{answers}");
    assert_eq!(observed.samples().requests(), [("GET /1 200".into(), 1.0), ("GET /2 200".into(), 1.0)]);
}

#[tokio::test]
async fn http2() {
    let observed = Observed::new();
    let handler = || async {
        let trailers = HeaderMap::from_iter([("grpc-status".parse().unwrap(), "0".parse().unwrap())]);
        Scripted::body([Step::Data("hello"), Step::Trailers(trailers)])
    };
    let address = observed.serve(Router::new().route("/", get(handler))).await;
    let answer = client::send_http2(address, request(Method::GET, "/").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.trailers.as_ref().expect("trailers come through")["grpc-status"], "0");
    let line = observed.only_request().await;
    answer.belongs_to(&line);
    assert_line(&line, "INFO complete GET / 200");
    assert_eq!((&line["path"], &line["response_bytes"]), (&"/".into(), &5.into()));
}

#[tokio::test]
async fn a_hundred_http2_streams_on_one_connection() {
    let observed = Observed::new();
    let router = Router::new().route("/hello/{name}", get(|| async { "hello" }));
    let address = observed.serve(router).await;
    let mut connection = client::connect_http2(address).await;
    let answers: Vec<_> = (0..100)
        .map(|number| {
            let asked = request(Method::GET, &format!("/hello/{number}")).body(Body::empty()).unwrap();
            tokio::spawn(connection.send_request(client::for_http2(address, asked)))
        })
        .collect();
    for answer in answers {
        assert_eq!(answer.await.unwrap().unwrap().status(), StatusCode::OK);
    }
    let lines = observed.access_lines(100).await;
    let ids: std::collections::HashSet<_> = lines.iter().map(|line| line.str("trace_id")).collect();
    assert_eq!(ids.len(), 100, "each has a trace of its own");
    assert_eq!(observed.samples().requests(), [("GET /hello/{name} 200".into(), 100.0)]);
}

#[tokio::test]
async fn client_that_closes_its_sending_half_early() {
    let observed = Observed::new();
    let router = Router::new().route("/", get(|| async { "hello" }));
    let mut stream = raw::send(observed.serve(router).await, "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    stream.shutdown().await.unwrap();
    // hyper takes it for a client that left, unless the answer was faster: either way it is one request.
    let line = observed.only_request().await;
    assert!(line["status"] == 200 || line["status"] == 499, "{}", line.text);
}

#[tokio::test]
async fn switching_protocols() {
    let observed = Observed::new();
    let handler = || async { (StatusCode::SWITCHING_PROTOCOLS, [(header::UPGRADE, "chat")]) };
    let router = Router::new().route("/chat", get(handler));
    let asked = "GET /chat HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: chat\r\n\r\n";
    let mut stream = raw::send(observed.serve(router).await, asked).await;
    let head = raw::read_until(&mut stream, "\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    assert_line(&observed.only_request().await, "INFO complete GET /chat 101");
}

#[tokio::test]
async fn options_of_the_whole_server() {
    let observed = Observed::new();
    let router = Router::new().route("/", options(|| async { "anything" }));
    let asked = "OPTIONS * HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    let answer = raw::exchange(observed.serve(router).await, asked).await;
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    let line = observed.only_request().await;
    assert_line(&line, "WARN complete OPTIONS unmatched 404");
    assert_eq!(line["path"], "*");
}

#[tokio::test]
async fn http_1_0_without_a_host() {
    let observed = Observed::new();
    let router = Router::new().route("/", get(|| async { "hello" }));
    let answer = raw::exchange(observed.serve(router).await, "GET / HTTP/1.0\r\n\r\n").await;
    assert!(answer.ends_with("\r\n\r\nhello"), "{answer}");
    assert_line(&observed.only_request().await, "INFO complete GET / 200");
}
