//! `process_*` and `tokio_*`, read at each scrape: no stale values.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use metrics_process::Collector;
use redpane::Telemetry;
use tokio_metrics::RuntimeMetricsReporterBuilder;

/// Values of the runtime are of the time since they were read before. The pane reads each second, and so does whoever scrapes: of
/// less than this they would say little.
const SHORTEST: Duration = Duration::from_millis(900);

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
    let runtime = Mutex::new((runtime, None::<Instant>));
    telemetry.on_scrape(move || {
        process.collect();
        if let Ok(mut guard) = runtime.lock() {
            let (runtime, read) = &mut *guard;
            if read.is_none_or(|read| read.elapsed() >= SHORTEST) {
                *read = Some(Instant::now());
                runtime.run_once();
            }
        }
    });
}
