//! redpane with its defaults, served by the service's own server in place of `axum::serve`, with its default limits.

use std::future::pending;

use redpane::Redpane;
use redpane_service::server::{self, Listeners, TrustedProxies};
use redpane_service::service;
use redpane_service::settings::{Config, Role};

fn main() -> anyhow::Result<()> {
    redpane_bench::app::run_with(async |address, more| {
        let telemetry = Redpane::new("bench").install()?;
        let listeners = Listeners { api: server::bind(address)?, metrics: None, pane: None };
        let limits = service::limits(&Config::defaults(Role::Serve));
        let trusted = TrustedProxies::new(Vec::new(), Vec::new());
        let app = redpane_bench::app::router(more);
        server::run(listeners, app, limits, trusted, &telemetry, pending(), pending()).await;
        Ok(())
    })
}
