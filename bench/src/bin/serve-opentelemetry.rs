//! axum-tracing-opentelemetry and axum-otel-metrics: spans and metrics, no line a request.

fn main() -> anyhow::Result<()> {
    redpane_bench::app::run(redpane_bench::opentelemetry::observe)
}
