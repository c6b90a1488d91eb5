//! The layer around a bare hyper service: no axum, so the routes are labelled by a function and `/metrics` is a path like
//! any other.
//!
//! Run it with `cargo run --example hyper`, then `curl -i localhost:3000/hello/ada` and
//! `curl -s localhost:3000/metrics | grep http_requests_total`: the label is `/hello/{name}`, whatever the name is, and the
//! line has the client's address.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response, StatusCode, request::Parts};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use redpane::{ClientAddr, Redpane, Telemetry};
use tower::{ServiceBuilder, service_fn};

/// The label of a request: one of a few, never the path itself.
fn route(parts: &Parts) -> Option<String> {
    let route = match parts.uri.path() {
        "/metrics" => "/metrics",
        path if path.starts_with("/hello/") => "/hello/{name}",
        _ => return None,
    };
    Some(route.to_owned())
}

async fn answer(telemetry: Telemetry, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path();
    if path == "/metrics" {
        return Ok(telemetry.metrics_response(request.headers()).await.map(Full::new));
    }
    let mut response = Response::new(Full::default());
    match path.strip_prefix("/hello/") {
        Some(name) => *response.body_mut() = format!("hello, {name}\n").into(),
        None => *response.status_mut() = StatusCode::NOT_FOUND,
    }
    Ok(response)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let telemetry = Redpane::new("hyper").route_label(route).install()?;
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".into());
    let listener = tokio::net::TcpListener::bind(address).await?;
    loop {
        let (stream, client) = listener.accept().await?;
        let for_metrics = telemetry.clone();
        let service = ServiceBuilder::new()
            .map_request(move |mut request: Request<Incoming>| {
                request.extensions_mut().insert(ClientAddr(client));
                request
            })
            .layer(telemetry.layer())
            .service(service_fn(move |request| answer(for_metrics.clone(), request)));
        let server = auto::Builder::new(TokioExecutor::new());
        tokio::spawn(
            async move { server.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)).await },
        );
    }
}
