//! `redpane_client_memory_bytes`, read at each scrape.

use std::sync::Arc;

use metrics::{describe_gauge, gauge};
use redpane::Telemetry;

use super::clients::Clients;

const MEMORY: &str = "redpane_client_memory_bytes";

/// Adds what is held for `clients` to every scrape of `telemetry`.
pub(super) fn publish(telemetry: &Telemetry, clients: &Arc<Clients>) {
    let memory = metrics::with_local_recorder(&telemetry.recorder(), || {
        describe_gauge!(MEMORY, "Bytes held for clients: requests that arrive, answers that are not handed over.");
        gauge!(MEMORY)
    });
    let clients = Arc::clone(clients);
    telemetry.on_scrape(move || memory.set(clients.held() as f64));
}
