//! Beside OpenTelemetry's SDK: its spans stay the application's, and redpane's lines, exemplars and headers have their ids.
//!
//! Run it with `cargo run --example opentelemetry_sdk`, then `curl -i localhost:3000/orders/7`. The handler asks `/stock/7` of
//! the same program, which stands in for another service. Standard error shows the spans that the SDK exports, standard
//! output redpane's lines: all have the `trace_id` that the answer has as `X-Trace-Id`.

use std::error::Error;

use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, Request, StatusCode};
use axum::{Router, routing::get};
use hyper_util::client::legacy::{Client as HyperClient, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use redpane::client::OutgoingService;
use redpane::{Redpane, TraceParent};
use tower::{Layer, ServiceExt};
use tower_http::trace::TraceLayer;
use tracing::level_filters::LevelFilter;
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer as _;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Prints spans. Yours is that of `opentelemetry-otlp`, in a batch: `.with_batch_exporter(SpanExporter::builder().with_http().build()?)`.
#[derive(Debug)]
struct Printer;

impl SpanExporter for Printer {
    async fn export(&self, spans: Vec<SpanData>) -> OTelSdkResult {
        for SpanData { name, span_context, parent_span_id, .. } in spans {
            eprintln!("span {name} {} {} {parent_span_id}", span_context.trace_id(), span_context.span_id());
        }
        Ok(())
    }
}

/// The ids of the SDK's current span. Bytes of zeros, where there is none, are no ids.
fn sdk_ids() -> Option<TraceParent> {
    opentelemetry::Context::map_current(|context| {
        let span = context.span();
        let span = span.span_context();
        let trace_id = span.trace_id().to_bytes().try_into().ok()?;
        Some(TraceParent::new(trace_id, span.span_id().to_bytes().try_into().ok()?, span.is_sampled()))
    })
}

/// The span of a request, below that of its caller. `axum-tracing-opentelemetry` has a layer that makes a better one.
fn server_span(request: &Request<Body>) -> Span {
    let span = tracing::info_span!("server", otel.name = request.uri().path(), otel.kind = "server");
    let caller = TraceContextPropagator::new().extract(&Headers(request.headers()));
    if let Err(error) = span.set_parent(caller) {
        tracing::debug!(%error, "the caller's trace is not continued");
    }
    span
}

/// `opentelemetry-http` has this as `HeaderExtractor`.
struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

#[derive(Clone)]
struct Stock {
    client: OutgoingService<HyperClient<HttpConnector, Body>>,
    base: String,
}

impl Stock {
    async fn items(&self, order: u32) -> Result<String, Box<dyn Error>> {
        tracing::info!(order, "asking the stock");
        let request = Request::get(format!("{}/stock/{order}", self.base)).body(Body::empty())?;
        let answer = self.client.clone().oneshot(request).await?;
        let body = to_bytes(Body::new(answer.into_body()), 1024).await?;
        Ok(String::from_utf8(body.into())?)
    }
}

async fn order(State(stock): State<Stock>, Path(order): Path<u32>) -> Result<String, StatusCode> {
    // The next service's parent is this span, which is current while the call is made.
    let asked = stock.items(order).instrument(tracing::info_span!("ask the stock", otel.kind = "client"));
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
    let tracers = SdkTracerProvider::builder().with_simple_exporter(Printer).build();
    let telemetry = Redpane::new("opentelemetry-sdk").ids_from(sdk_ids).build()?;
    let spans = tracing_opentelemetry::layer().with_tracer(tracers.tracer("orders")).with_filter(LevelFilter::INFO);
    tracing_subscriber::registry().with(spans).with(telemetry.log_layer()).try_init()?;

    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".into());
    let client = telemetry.outgoing_layer("stock").layer(HyperClient::builder(TokioExecutor::new()).build_http());
    let stock = Stock { client, base: format!("http://{address}") };
    let app = Router::new().route("/orders/{order}", get(order)).with_state(stock).route("/stock/{order}", get(items));
    // The SDK's span goes around redpane: all that redpane says of a request is said inside of it.
    let app = telemetry.instrument(app).layer(TraceLayer::new_for_http().make_span_with(server_span));
    let listener = tokio::net::TcpListener::bind(address).await?;
    axum::serve(listener, app).await?;
    tracers.shutdown()?;
    Ok(())
}
