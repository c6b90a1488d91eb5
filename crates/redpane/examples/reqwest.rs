//! Calls to another service with reqwest: they carry the trace on, are counted, and are CLIENT spans where spans are exported.
//!
//! Run it with `cargo run --example reqwest`, then `curl localhost:3000/orders/7`. The handler asks `/stock/7` of the same
//! program, which stands in for another service: both access lines have one `trace_id`, and the `parent_span_id` of the second
//! is the span of the call. With `--features otlp` and `OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318` the whole
//! waterfall is in Tempo.

use std::error::Error;

use axum::extract::{Path, State};
use axum::http::{Request, Response, StatusCode};
use axum::{Router, routing::get};
use redpane::Redpane;
use reqwest::Body;
use tower::util::BoxCloneSyncService;
use tower::{Layer, ServiceExt, service_fn};
use tracing::Instrument;

/// Each handler has a clone, which shares its connections.
#[derive(Clone)]
struct Stock {
    client: BoxCloneSyncService<Request<Body>, Response<Body>, reqwest::Error>,
    base: String,
}

impl Stock {
    async fn items(&self, order: u32) -> Result<String, Box<dyn Error + Send + Sync>> {
        let request = Request::get(format!("{}/stock/{order}", self.base)).body(Body::default())?;
        let answer = self.client.clone().oneshot(request).await?;
        Ok(reqwest::Response::from(answer).error_for_status()?.text().await?)
    }
}

/// reqwest's own service takes its own requests: the layer stands around one that takes those of the crate `http`.
fn http_service(client: reqwest::Client) -> impl Fn(Request<Body>) -> Answer + Clone {
    move |request| {
        let request = request.try_into();
        let client = client.clone();
        Box::pin(async move { Ok(client.execute(request?).await?.into()) })
    }
}

type Answer = std::pin::Pin<Box<dyn Future<Output = Result<Response<Body>, reqwest::Error>> + Send>>;

async fn order(State(stock): State<Stock>, Path(order): Path<u32>) -> Result<String, StatusCode> {
    // Where spans are exported, the CLIENT span of the call is below this one.
    let asked = stock.items(order).instrument(tracing::info_span!("reserve", order));
    asked.await.map(|items| format!("order {order}: {items}")).map_err(|error| {
        redpane::record_error(&*error);
        StatusCode::BAD_GATEWAY
    })
}

async fn items(Path(order): Path<u32>) -> String {
    format!("{} items\n", order % 5)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let redpane = Redpane::new("reqwest");
    #[cfg(feature = "otlp")]
    let redpane = redpane.otlp_from_env()?;
    let telemetry = redpane.install()?;
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".into());
    let calls = telemetry.outgoing_layer("stock").errors_by(["connect", "timeout"], |error: &reqwest::Error| {
        if error.is_timeout() {
            "timeout"
        } else if error.is_connect() {
            "connect"
        } else {
            "error"
        }
    });
    let client = calls.layer(service_fn(http_service(reqwest::Client::new())));
    // The layer's body is one that counts; reqwest's own can hold it.
    let client = client.map_response(|answer| answer.map(Body::wrap));
    let stock = Stock { client: BoxCloneSyncService::new(client), base: format!("http://{address}") };
    let app = Router::new().route("/orders/{order}", get(order)).with_state(stock).route("/stock/{order}", get(items));
    let listener = tokio::net::TcpListener::bind(address).await?;
    axum::serve(listener, telemetry.instrument(app)).await?;
    Ok(())
}
