//! The process as it is now: from the metrics that the application publishes of it, else as the system says.

use metrics_process::collector;
use serde::Serialize;

use super::history::History;
use super::input::{Family, Kind, Series, Value};
use super::quantile::rounded;
use super::state::now_ms;

#[derive(Clone, Debug, Serialize)]
pub(super) struct Process {
    /// 1 is one core.
    cpu_ratio: Option<f64>,
    resident_bytes: Option<u64>,
    open_fds: Option<u64>,
    threads: Option<u64>,
    uptime_seconds: f64,
    tokio_workers: Option<u64>,
    tokio_alive_tasks: Option<u64>,
}

impl Process {
    pub(super) fn read(history: &History, started_ms: u64) -> Self {
        let whole = |name: &str| history.gauge(name).map(|value| value as u64);
        Self {
            // The counter's column is its rate.
            cpu_ratio: history.gauge(CPU).map(rounded),
            resident_bytes: whole(MEMORY),
            open_fds: whole("process_open_fds"),
            threads: whole("process_threads"),
            uptime_seconds: now_ms().saturating_sub(started_ms) as f64 / 1000.0,
            tokio_workers: whole("tokio_workers_count"),
            tokio_alive_tasks: whole("tokio_live_tasks_count"),
        }
    }
}

pub(super) const CPU: &str = "process_cpu_seconds_total";
pub(super) const MEMORY: &str = "process_resident_memory_bytes";

/// Adds what the system says of this process, where nobody has published it.
pub(super) fn add_missing(families: &mut Vec<Family>) {
    if families.iter().any(|family| family.name == CPU) {
        return;
    }
    let found = collector::collect();
    let whole = |value: Option<u64>| value.map(|value| value as f64);
    for (name, kind, value) in [
        (CPU, Kind::Counter, found.cpu_seconds_total),
        (MEMORY, Kind::Gauge, whole(found.resident_memory_bytes)),
        ("process_open_fds", Kind::Gauge, whole(found.open_fds)),
        ("process_threads", Kind::Gauge, whole(found.threads)),
    ] {
        if let Some(value) = value {
            let series = vec![Series { labels: "".into(), value: Value::Number(value) }];
            families.push(Family { name: name.into(), kind, help: "".into(), unit: None, series });
        }
    }
}
