//! The service around an API: settings, listeners, connections, shutdown, health, alert receiver.
//!
//! [`run`] is the whole life of a service. Everything that stops it or that it listens on is a parameter, so a test runs
//! it on port 0 and ends it when it likes:
//!
//! ```
//! use redpane_service::server::{self, Config, Listeners, Role};
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let mut config = Config::defaults(Role::Serve);
//! config.listen = ([127, 0, 0, 1], 0).into();
//! let telemetry = config.telemetry().log_writer(std::io::sink()).build().unwrap();
//! let listeners = Listeners::bind(&config).await.unwrap();
//! let address = listeners.api_address();
//! let shutdown = async move { drop(tokio::net::TcpStream::connect(address).await) };
//! let ended = server::run(listeners, &config, &telemetry, shutdown, std::future::pending()).await;
//! assert_eq!(ended.cut, 0);
//! # });
//! ```

pub mod arguments;
mod arrival;
pub mod command;
pub mod config;
mod connection;
mod directives;
pub mod health;
pub mod healthcheck;
mod listen;
mod process_metrics;
pub mod receiver;
pub mod setting;
pub mod shutdown;
mod strict;

use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn;

pub use config::{Config, Role};
pub use listen::{BindError, Listeners};
pub use shutdown::Ended;

use redpane::Telemetry;
use health::Readiness;
use listen::Serving;
use shutdown::Cause;

/// How long, after requests were cut, their access lines may take to be written into the log's buffer.
const CUT_SETTLE: Duration = Duration::from_secs(1);

/// Serves until `shutdown` and everything in flight is done, or until `cut` or `config.shutdown_grace` ends the wait.
///
/// From `shutdown` on `/readyz` answers 503, answers close their connections, idle connections are closed. The listener
/// stays open as long as a request from before the signal is being answered (at most half of the grace), so that
/// probes see the 503 and a client that was just being sent here is still served; then it closes. A second listener
/// for metrics closes last.
///
/// Neither signals nor the log are touched here: the caller flushes `telemetry` after this returns.
pub async fn run(
    listeners: Listeners,
    config: &Config,
    telemetry: &Telemetry,
    shutdown: impl Future<Output = ()>,
    cut: impl Future<Output = ()>,
) -> Ended {
    process_metrics::publish(telemetry);
    if config.role == Role::Receiver {
        receiver::announce(telemetry);
    }
    let readiness = Readiness::default();
    let (address, metrics_address) = (listeners.api_address(), listeners.metrics_address());
    let mut api = Serving::start(listeners.api, telemetry.instrument(routes(config, &readiness)), config);
    let mut metrics = listeners.metrics.map(|listener| {
        let probes = telemetry.instrument(crate::api::with_problem_fallbacks(health::router(&readiness)));
        Serving::start(listener, telemetry.metrics_router().merge(probes), config)
    });
    announce(config, address, metrics_address);

    shutdown.await;
    readiness.end();
    tracing::info!(
        in_flight = telemetry.in_flight(),
        grace_seconds = config.shutdown_grace.as_secs_f64(),
        "shutting down: not ready any more, finishing the requests in flight"
    );
    let drained = async {
        api.drain(config.shutdown_grace / 2).await;
        if let Some(metrics) = &mut metrics {
            metrics.drain(Duration::ZERO).await;
        }
    };
    let cause = tokio::select! {
        biased;
        () = drained => Cause::Drained,
        () = cut => Cause::SecondSignal,
        () = tokio::time::sleep(config.shutdown_grace) => Cause::Deadline,
    };
    let cut = if cause == Cause::Drained { 0 } else { telemetry.in_flight() };
    if cause != Cause::Drained {
        [Some(&api), metrics.as_ref()].into_iter().flatten().for_each(Serving::cut);
        let settled = async {
            while telemetry.in_flight() > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        // Each request that was cut writes its own access line; those belong before the last line.
        drop(tokio::time::timeout(CUT_SETTLE, settled).await);
    }
    let ended = Ended { cause, cut };
    ended.log();
    ended
}

fn announce(config: &Config, address: std::net::SocketAddr, metrics_address: Option<std::net::SocketAddr>) {
    tracing::info!(
        role = config.role.as_str(),
        listen = %address,
        metrics_listen = metrics_address.map(tracing::field::display),
        version = config::VERSION,
        revision = config::REVISION,
        faults = config.faults,
        "listening"
    );
}

fn routes(config: &Config, readiness: &Readiness) -> Router {
    let own = match config.role {
        Role::Serve => crate::api::router(config),
        Role::Receiver => receiver::router(config),
    };
    crate::api::with_problem_fallbacks(own.merge(health::router(readiness))).layer(from_fn(strict::refuse))
}
