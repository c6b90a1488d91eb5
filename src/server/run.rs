//! The life of a server, from its first connection to its last log line.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use redpane::Telemetry;
use tokio_util::task::AbortOnDropHandle;
use tower::ServiceBuilder;

use super::accept::ListenerHandle;
use super::clients::{Clients, keep};
use super::ended::{Cause, Ended};
use super::health::{self, Readiness};
use super::limits::Limits;
use super::listeners::Listeners;
use super::proxies::TrustedProxies;
use super::strict::Strict;
use super::{client_metrics, process_metrics};
use crate::log_targets::SERVER;
use crate::web;

/// How long the access lines of the last requests may take to reach the log's buffer.
const SETTLE: Duration = Duration::from_secs(1);

/// Serves `api`, with probes, fallbacks and instrumentation added here, until `shutdown` and everything in flight is done,
/// or until `cut` or `limits.shutdown_grace` ends the wait.
///
/// From `shutdown` on:
///
/// 1. `/readyz` answers 503, answers close their connections, idle connections are closed.
/// 2. The listener stays open while a request from before the signal is being answered, at most half of the grace: probes
///    see the 503, and a client that was sent here before the load balancer noticed is still served. Then it closes.
/// 3. A second listener for metrics closes last.
///
/// Signals and the log are the caller's: flush `telemetry` after this returns.
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
        |listener, router| ListenerHandle::start(listener, router, &clients, limits.max_connections, trusted.clone());
    // One layer for a route, and not two: axum boxes each of them for each request.
    let layers = ServiceBuilder::new().layer(telemetry.layer()).layer(Strict);
    let scraped_alone = listeners.metrics.is_some();
    let api = api.layer(layers.clone());
    let api = start(listeners.api, if scraped_alone { api } else { api.merge(telemetry.metrics_router()) });
    let metrics = listeners.metrics.map(|listener| {
        let probes = web::with_problem_fallbacks(health::router(&readiness)).layer(layers);
        start(listener, telemetry.metrics_router().merge(probes))
    });

    shutdown.await;
    let cut_before = clients.answers_cut();
    readiness.end();
    tracing::info!(
        target: SERVER,
        in_flight = telemetry.in_flight(),
        grace_seconds = limits.shutdown_grace.as_secs_f64(),
        "shutting down: not ready any more, finishing the requests in flight"
    );
    let drained = async {
        api.drain(limits.shutdown_grace / 2).await;
        if let Some(metrics) = &metrics {
            metrics.drain(Duration::ZERO).await;
        }
    };
    let cause = tokio::select! {
        biased;
        () = drained => Cause::Drained,
        () = cut => Cause::SecondSignal,
        () = tokio::time::sleep(limits.shutdown_grace) => Cause::Deadline,
    };
    // Clients that took nothing of their answers have been cut off since the signal: those are not answered either.
    let refused = clients.answers_cut() - cut_before;
    let cut = refused + if cause == Cause::Drained { 0 } else { telemetry.in_flight() };
    if cause != Cause::Drained {
        [Some(&api), metrics.as_ref()].into_iter().flatten().for_each(ListenerHandle::cut);
    }
    // The tasks of a connection may end after it. Each request writes its own access line, which belongs before the last line.
    let settled = async {
        while telemetry.in_flight() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    drop(tokio::time::timeout(SETTLE, settled).await);
    drop(keeper);
    let ended = Ended { cause, cut };
    ended.log();
    ended
}
