//! The same as `serve-opentelemetry`, with spans that are sent.

fn main() -> anyhow::Result<()> {
    redpane_bench::app::run(redpane_bench::opentelemetry::observe_otlp)
}
