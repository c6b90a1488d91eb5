//! Metrics about clients that are read at each scrape.

use std::sync::Arc;

use metrics::{counter, describe_counter, describe_gauge, gauge};
use redpane::Telemetry;

use super::clients::Clients;

const MEMORY: &str = "redpane_client_memory_bytes";
const STREAMS: &str = "redpane_client_streams_reset_total";

/// Adds what is held for `clients` to every scrape of `telemetry`.
pub(super) fn publish(telemetry: &Telemetry, clients: &Arc<Clients>) {
    let (memory, streams) = metrics::with_local_recorder(&telemetry.recorder(), || {
        describe_gauge!(MEMORY, "Bytes held for clients: requests that arrive, answers that are not handed over.");
        describe_counter!(
            STREAMS,
            "HTTP/2 streams reset: their clients took nothing, or far too much memory was held."
        );
        (gauge!(MEMORY), ["stalled", "memory"].map(|reason| counter!(STREAMS, "reason" => reason)))
    });
    let clients = Arc::clone(clients);
    telemetry.on_scrape(move || {
        memory.set(clients.held() as f64);
        streams.iter().zip(clients.streams_reset()).for_each(|(counter, count)| counter.absolute(count));
    });
}
