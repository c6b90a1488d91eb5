//! axum-prometheus alone: metrics, no log.

use redpane_bench::{app, usual};

fn main() -> anyhow::Result<()> {
    app::run(|router| Ok(usual::axum_prometheus(router).0))
}
