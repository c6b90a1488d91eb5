//! redpane with its defaults, and spans that are sent where `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` says.

use redpane::Redpane;

fn main() -> anyhow::Result<()> {
    redpane_bench::app::run(|router| Ok(Redpane::new("bench").otlp_from_env()?.install()?.instrument(router)))
}
