//! redpane with its defaults, served by `axum::serve` with `ConnectInfo`: lines have the addresses of clients.

use redpane::Redpane;

fn main() -> anyhow::Result<()> {
    redpane_bench::app::run_with_clients(|router| Ok(Redpane::new("bench").install()?.instrument(router)))
}
