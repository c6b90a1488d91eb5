//! axum without metrics, log or ids.

fn main() -> anyhow::Result<()> {
    redpane_bench::app::run(Ok)
}
