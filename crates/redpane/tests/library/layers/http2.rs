//! The layer on a bare hyper server, over real sockets.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use redpane::{ClientAddr, Telemetry};
use test_support::{Observed, client};
use tokio::net::TcpListener;
use tower::{ServiceBuilder, service_fn};

use super::assert_line;

/// Answers with what it was sent, and with trailers.
async fn echo(
    request: Request<Incoming>,
) -> Result<Response<impl http_body::Body<Data = Bytes, Error = Infallible>>, hyper::Error> {
    let body = request.into_body().collect().await?.to_bytes();
    let trailers = HeaderMap::from_iter([("checksum".parse().unwrap(), "17".parse().unwrap())]);
    Ok(Response::new(Full::new(body).with_trailers(async { Some(Ok(trailers)) })))
}

/// Serves HTTP/1 and HTTP/2.
async fn serve(telemetry: Telemetry) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, client)) = listener.accept().await {
            let service = ServiceBuilder::new()
                .map_request(move |mut request: Request<Incoming>| {
                    request.extensions_mut().insert(ClientAddr(client));
                    request
                })
                .layer(telemetry.layer())
                .service(service_fn(echo));
            let server = auto::Builder::new(TokioExecutor::new());
            tokio::spawn(async move {
                server.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)).await
            });
        }
    });
    address
}

#[tokio::test]
async fn trailers_come_over_http2() {
    let observed = Observed::new();
    let address = serve(observed.telemetry.clone()).await;
    let request = client::request(Method::POST, "/echo").body(Body::from("seventeen")).unwrap();
    let answer = client::send_http2(address, request).await;
    assert_eq!((answer.text(), answer.whole), ("seventeen", true));
    assert_eq!(answer.trailers.as_ref().expect("trailers come through")["checksum"], "17");
    let line = observed.only_request().await;
    answer.belongs_to(&line);
    assert_line(&line, "INFO complete POST unmatched 200");
    assert_eq!((&line["request_bytes"], &line["response_bytes"]), (&9.into(), &9.into()));
    assert!(line.str("client").starts_with("127.0.0.1:"), "{}", line.text);
}

#[tokio::test]
async fn a_body_without_a_length_has_no_size() {
    let observed = Observed::new();
    let address = serve(observed.telemetry.clone()).await;
    let chunks = || test_support::Scripted::body([test_support::Step::Data("seven"), test_support::Step::Data("teen")]);
    let request = || client::request(Method::POST, "/echo").body(chunks()).unwrap();
    assert_eq!(client::send_http2(address, request()).await.text(), "seventeen");
    assert_eq!(client::send(address, request()).await.text(), "seventeen");
    for line in observed.access_lines(2).await {
        assert_line(&line, "INFO complete POST unmatched 200");
        assert_eq!((&line["request_bytes"], &line["response_bytes"]), (&serde_json::Value::Null, &9.into()));
    }
}
