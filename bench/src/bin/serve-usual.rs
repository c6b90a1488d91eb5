//! axum-prometheus, TraceLayer and `fmt().json()`, which writes to standard output on the spot.

use redpane_bench::{app, usual};

fn main() -> anyhow::Result<()> {
    app::run(|router| {
        usual::json_log(std::io::stdout);
        Ok(usual::axum_prometheus(usual::trace_layer(router)).0)
    })
}
