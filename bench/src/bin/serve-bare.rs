//! axum, observed by nobody.

fn main() -> anyhow::Result<()> {
    redpane_bench::app::run(Ok)
}
