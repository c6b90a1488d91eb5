//! axum-prometheus, TraceLayer and `fmt().json()` through the thread of tracing-appender.

use redpane_bench::{app, usual};
use tracing_appender::non_blocking::NonBlockingBuilder;

fn main() -> anyhow::Result<()> {
    // Lossy, its default, would drop lines under load, and then the work would not be the same.
    let (writer, _guard) = NonBlockingBuilder::default().lossy(false).finish(std::io::stdout());
    app::run(|router| {
        usual::json_log(writer);
        Ok(usual::axum_prometheus(usual::trace_layer(router)).0)
    })
}
