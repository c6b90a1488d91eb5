//! Traces and metrics the OpenTelemetry way: spans are batched as always and then discarded or sent, metrics are read through
//! a Prometheus exporter.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use axum_otel_metrics::HttpMetricsLayerBuilder;
use axum_tracing_opentelemetry::middleware::{OtelAxumLayer, OtelInResponseLayer};
use opentelemetry::global;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{BatchSpanProcessor, SdkTracerProvider, SpanData, SpanExporter};
use prometheus::{Registry, TextEncoder};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

#[derive(Debug)]
struct Discard;

impl SpanExporter for Discard {
    async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
        Ok(())
    }
}

/// Counts the spans that its exporter has exported, which may be fewer than were made: the batch processor drops what its
/// queue of 2,048 spans does not hold.
#[derive(Debug)]
struct Counting<E> {
    exporter: E,
    spans: Arc<AtomicU64>,
}

impl<E: SpanExporter> SpanExporter for Counting<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len() as u64;
        self.exporter.export(batch).await?;
        self.spans.fetch_add(spans, Ordering::Relaxed);
        Ok(())
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// Spans are discarded.
///
/// # Errors
/// As [`observe_by`].
pub fn observe(router: Router) -> Result<Router> {
    observe_by(router, Discard)
}

/// Spans are sent where `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` says.
///
/// # Errors
/// As [`observe_by`], and if the client cannot be made.
pub fn observe_otlp(router: Router) -> Result<Router> {
    observe_by(router, opentelemetry_otlp::SpanExporter::builder().with_http().build()?)
}

/// Installs the subscriber and both providers for the process, and instruments the router.
///
/// # Errors
/// If an exporter does not start, or the process has a subscriber already.
fn observe_by(router: Router, exporter: impl SpanExporter + 'static) -> Result<Router> {
    let spans = Arc::<AtomicU64>::default();
    let exporter = Counting { exporter, spans: Arc::clone(&spans) };
    let tracers =
        SdkTracerProvider::builder().with_span_processor(BatchSpanProcessor::builder(exporter).build()).build();
    global::set_text_map_propagator(TraceContextPropagator::new());
    global::set_tracer_provider(tracers.clone());
    // The layers and directives of init-tracing-opentelemetry's preset for production.
    tracing_subscriber::registry()
        .with(EnvFilter::new("info,otel::tracing=trace"))
        .with(
            tracing_opentelemetry::layer().with_error_records_to_exceptions(true).with_tracer(tracers.tracer("bench")),
        )
        .with(fmt::layer().json())
        .try_init()?;

    let registry = Registry::new();
    let reader = opentelemetry_prometheus::exporter().with_registry(registry.clone()).build()?;
    global::set_meter_provider(SdkMeterProvider::builder().with_reader(reader).build());

    let metrics = move || async move {
        let mut text = TextEncoder::new()
            .encode_to_string(&registry.gather())
            .map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
        text.push_str(&format!("bench_spans_exported_total {}\n", spans.load(Ordering::Relaxed)));
        Ok::<_, (StatusCode, String)>(text)
    };
    Ok(router
        .route("/metrics", get(metrics))
        .layer(HttpMetricsLayerBuilder::new().build())
        .layer(OtelInResponseLayer)
        .layer(OtelAxumLayer::default()))
}
