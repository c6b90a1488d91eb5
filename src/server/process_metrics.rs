//! `process_*` and `tokio_*`, read at each scrape: nothing to keep current in between, nothing stale in an answer.

use std::sync::Mutex;

use metrics_process::Collector;
use tokio_metrics::RuntimeMetricsReporterBuilder;

use redpane::Telemetry;

/// Adds the metrics of this process and of the current runtime to every scrape of `telemetry`. Must be called inside a
/// runtime.
///
/// `process_cpu_seconds_total` is recorded as a gauge: the facade's counters hold whole numbers, and a CPU time in whole
/// seconds makes `rate()` jump between 0 and 1. The exposition declares it the counter that its name says it is.
pub(super) fn publish(telemetry: &Telemetry) {
    let process = Collector::default();
    let runtime = metrics::with_local_recorder(&telemetry.recorder(), || {
        process.describe();
        RuntimeMetricsReporterBuilder::default().describe().build()
    });
    let runtime = Mutex::new(runtime);
    telemetry.on_scrape(move || {
        process.collect();
        if let Ok(mut runtime) = runtime.lock() {
            runtime.run_once();
        }
    });
}
