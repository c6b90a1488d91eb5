//! Traces and metrics the OpenTelemetry way, without a collector: spans are batched as always and then discarded, metrics
//! are read through a Prometheus exporter.

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
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{BatchSpanProcessor, SdkTracerProvider, SpanData, SpanExporter};
use prometheus::{Registry, TextEncoder};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

/// Counts the spans that reach it, which may be fewer than were made: the batch processor drops what its queue of 2,048
/// spans does not hold.
#[derive(Debug, Clone, Default)]
struct Discard {
    spans: Arc<AtomicU64>,
}

impl SpanExporter for Discard {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.spans.fetch_add(batch.len() as u64, Ordering::Relaxed);
        Ok(())
    }
}

/// Installs the subscriber and both providers for the process, and instruments the router.
///
/// # Errors
/// If an exporter does not start, or the process has a subscriber already.
pub fn observe(router: Router) -> Result<Router> {
    let exporter = Discard::default();
    let spans = Arc::clone(&exporter.spans);
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
