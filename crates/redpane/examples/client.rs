//! Calls to another service, with hyper-util's client: they carry the trace on, and are counted.
//!
//! Run it with `cargo run --example client`, then `curl localhost:3000/orders/7`. The handler asks `/stock/7` of the same
//! program, which stands in for another service: both access lines have one `trace_id`, and the `parent_span_id` of the second
//! is the span of the call. `curl -s localhost:3000/metrics | grep http_client` shows the calls.

use std::error::Error;

use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::{Method, Request, StatusCode};
use axum::{Router, routing::get};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::Error as ClientError;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use redpane::Redpane;
use redpane::client::OutgoingService;
use tower::{Layer, ServiceExt};

/// Each handler has a clone, which shares its connections.
#[derive(Clone)]
struct Stock {
    client: OutgoingService<HyperClient<HttpConnector, Body>>,
    base: String,
}

impl Stock {
    async fn items(&self, order: u32) -> Result<String, Box<dyn Error>> {
        let request = Request::get(format!("{}/stock/{order}", self.base)).body(Body::empty())?;
        let answer = self.client.clone().oneshot(request).await?;
        let body = to_bytes(Body::new(answer.into_body()), 1024).await?;
        Ok(String::from_utf8(body.into())?)
    }
}

async fn order(State(stock): State<Stock>, Path(order): Path<u32>) -> Result<String, StatusCode> {
    stock.items(order).await.map(|items| format!("order {order}: {items}")).map_err(|error| {
        redpane::record_error(&*error);
        StatusCode::BAD_GATEWAY
    })
}

async fn items(Path(order): Path<u32>) -> String {
    format!("{} items\n", order % 5)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let redpane = Redpane::new("client");
    // Each call is a CLIENT span as well, where `OTEL_EXPORTER_OTLP_ENDPOINT` says who takes spans.
    #[cfg(feature = "otlp")]
    let redpane = redpane.otlp_from_env()?;
    let telemetry = redpane.install()?;
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".into());
    let kind = |error: &ClientError| if error.is_connect() { "connect" } else { "error" };
    let calls = telemetry.outgoing_layer("stock").errors_by(["connect"], kind).preregister(Method::GET);
    let client = calls.layer(HyperClient::builder(TokioExecutor::new()).build_http());
    let stock = Stock { client, base: format!("http://{address}") };
    let app = Router::new().route("/orders/{order}", get(order)).with_state(stock).route("/stock/{order}", get(items));
    let listener = tokio::net::TcpListener::bind(address).await?;
    axum::serve(listener, telemetry.instrument(app)).await?;
    Ok(())
}
