//! The life of a server, from its first connection to its last log line.

use std::io;
use std::sync::Arc;

use axum::Router;
use redpane::Telemetry;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use super::accept::ListenerHandle;
use super::clients::{Clients, keep};
use super::drain::Drain;
use super::ended::Ended;
use super::health::{self, Readiness};
use super::last_scrape::Scrapes;
use super::limits::Limits;
use super::listeners::Listeners;
use super::proxies::TrustedProxies;
use super::routes::Routes;
use super::{client_metrics, process_metrics};
use crate::log_targets::SERVER;
use crate::web;

/// Serves `api`, with probes, fallbacks and instrumentation added here, until `shutdown` and everything in flight is done,
/// or until `cut` or `limits.shutdown_grace` ends the wait for requests.
///
/// From `shutdown` on:
///
/// 1. `/readyz` answers 503, answers close their connections, idle connections are closed.
/// 2. The listener stays open while a request from before the signal is being answered, at most half of the grace: probes
///    see the 503, and a client that was sent here before the load balancer noticed is still served. Then it closes.
/// 3. With `limits.last_scrape`, `/metrics` stays open until everybody who scrapes it has read it after the last request. On the
///    API's port everything else gets 503 then.
/// 4. A second listener for metrics closes last.
///
/// `telemetry` shows its metrics at `/metrics`, its default: that path is answered when there is no memory for others, and the
/// last scrape waits for its readers. Signals and the log are the caller's: flush `telemetry` after this returns.
pub async fn run(
    listeners: Listeners,
    api: Router,
    limits: Limits,
    trusted: TrustedProxies,
    telemetry: &Telemetry,
    shutdown: impl Future<Output = ()>,
    cut: impl Future<Output = ()>,
) -> Ended {
    process_metrics::publish(telemetry);
    let readiness = Readiness::default();
    let api = web::with_problem_fallbacks(api.merge(health::router(&readiness)));
    let clients = Clients::new(limits);
    client_metrics::publish(telemetry, &clients);
    let keeper = AbortOnDropHandle::new(tokio::spawn(keep(Arc::clone(&clients), telemetry.clone())));
    let start =
        |listener, routes| ListenerHandle::start(listener, routes, &clients, limits.max_connections, trusted.clone());
    let layer = telemetry.layer();
    let layered = |router: Router| router.layer(layer.clone());
    let scrapes = Scrapes::new();
    let watches = limits.waits_for_scrape();
    let metrics_router = telemetry.metrics_router();
    let metrics_router = if watches { scrapes.watch(metrics_router) } else { metrics_router };
    let metrics_routes = Routes::metrics(metrics_router.clone(), layered);
    let scraped_alone = listeners.metrics.is_some();
    let mut reopened = if watches && !scraped_alone { second_socket(&listeners.api) } else { None };
    let api = Routes::new(api, layered);
    let api = start(listeners.api, if scraped_alone { api } else { api.merge(&metrics_routes) });
    let metrics = listeners.metrics.map(|listener| {
        let probes = web::with_problem_fallbacks(health::router(&readiness));
        start(listener, Routes::new(probes, layered).merge(&metrics_routes))
    });
    let reopen = || {
        let listener = TcpListener::from_std(reopened.take()?).ok()?;
        // Without lines: a probe that asks a process that ends is no error of it.
        let unready = health::router(&readiness).fallback(health::shutting_down);
        Some(start(listener, Routes::new(unready, |router| router).merge(&metrics_routes)))
    };

    shutdown.await;
    readiness.end();
    tracing::info!(
        target: SERVER,
        in_flight = telemetry.in_flight(),
        grace_seconds = limits.shutdown_grace.as_secs_f64(),
        "shutting down: not ready any more, finishing the requests in flight"
    );
    let ended = Drain { api, metrics, reopen, scrapes, clients: &clients, limits, telemetry }.run(cut).await;
    drop(keeper);
    ended.log();
    ended
}

/// The same socket once more: it listens for as long as one of the two is open.
fn second_socket(listener: &TcpListener) -> Option<std::net::TcpListener> {
    let second = socket2::SockRef::from(listener).try_clone();
    let warn = |error: &io::Error| tracing::warn!(target: SERVER, %error, "there will be no last scrape");
    second.inspect_err(warn).map(Into::into).ok()
}
