//! `process_*` and `tokio_*`, read at each scrape: no work in between, no stale values.

use std::sync::Mutex;

use metrics_process::Collector;
use redpane::Telemetry;
use tokio_metrics::RuntimeMetricsReporterBuilder;

/// Adds the metrics of this process and of the current runtime to every scrape of `telemetry`. Must be called inside a
/// runtime.
///
/// `process_cpu_seconds_total` is recorded as a gauge: counters of `metrics` hold whole numbers, and a CPU time in whole
/// seconds makes `rate()` jump between 0 and 1. The exposition declares it a counter, as its name says.
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
