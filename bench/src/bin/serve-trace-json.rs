//! TraceLayer and `fmt().json()` alone: a log, no metrics.

use redpane_bench::{app, usual};

fn main() -> anyhow::Result<()> {
    app::run(|router| {
        usual::json_log(std::io::stdout);
        Ok(usual::trace_layer(router))
    })
}
