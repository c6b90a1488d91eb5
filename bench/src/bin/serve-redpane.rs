//! redpane with its defaults: metrics, JSON lines on standard output, trace ids.

use redpane::Redpane;

fn main() -> anyhow::Result<()> {
    redpane_bench::app::run(|router| Ok(Redpane::new("bench").install()?.instrument(router)))
}
