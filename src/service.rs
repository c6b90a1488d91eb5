//! A service made of its settings: telemetry, listeners and routes, and the run of all three.

use std::fmt;
#[cfg(unix)]
use std::fs::File;
use std::io::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
#[cfg(unix)]
use std::os::fd::AsFd;
use std::path::Path;

use axum::Router;
use http::Method;
use ipnet::IpNet;
use redpane::{Otlp, Redpane, Telemetry};
use tokio::sync::watch;

use crate::log_targets::SERVER;
use crate::server::{BindError, Ended, Limits, Listeners, TrustedProxies};
use crate::settings::{Config, PaneListen, PaneToken, Role, flag};
use crate::version::{REVISION, VERSION};
use crate::{demo, docker_reader, receiver, server};

/// Where the pane is without being told.
const PANE: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 8001);
/// Where the docker-reader looks for Docker, in its own container.
const DOCKER_SOCKET: &str = "/var/run/docker.sock";
/// Where the docker-reader keeps what it must remember.
const DOCKER_LIVES: &str = "/var/lib/redpane/lives.json";
/// The Loki of the bundle, which the docker-reader asks for the lines it has.
const LOKI: &str = "loki:3100";

/// Standard output, whose errors are told: that of the standard library takes all bytes where it is open for reading only.
fn output() -> Box<dyn Write + Send> {
    #[cfg(unix)]
    if let Ok(output) = io::stdout().as_fd().try_clone_to_owned() {
        return Box::new(File::from(output));
    }
    Box::new(io::stdout())
}

/// The telemetry that `config` asks for, not yet built: a test may set its own log writer.
pub fn telemetry(config: &Config) -> Redpane {
    let mut redpane = Redpane::new(&config.app)
        .series_limit(config.series_limit)
        .metric_names(config.metric_names)
        .log_filter(config.log.clone())
        .log_writer(output())
        .log_format(config.log_format)
        .log_buffer_bytes(config.log_buffer_bytes)
        .log_overflow(config.log_when_full)
        .access_sample(config.access_sample)
        .access_slow(config.access_slow)
        .build_info(VERSION, REVISION);
    if config.pane_listen != PaneListen::Off {
        redpane = redpane.pane_history();
    }
    if let Some(otlp) = &config.otlp {
        redpane = redpane.otlp(otlp.clone());
    }
    let own = match config.role {
        Role::Serve => demo::routes(config.faults),
        Role::Receiver => receiver::routes(),
        Role::DockerReader => docker_reader::routes(),
    };
    if config.role == Role::DockerReader {
        // A collector asks every few seconds: lines of answers that are as they should be would only be collected again.
        redpane = redpane.log_failures_only(own.iter().map(|(_, route)| *route));
    }
    let probes = server::PROBES.into_iter().chain(["/metrics"]).map(|route| (Method::GET, route));
    own.into_iter().chain(probes).fold(redpane, |redpane, (method, route)| redpane.preregister(method, route))
}

/// Opens the addresses of `config`. Must be called inside a runtime.
///
/// # Errors
/// [`ListenError`] names the address and the setting it came from.
pub fn bind(config: &Config) -> Result<Listeners, ListenError> {
    let open = |variable, address| server::bind(address).map_err(|reason| ListenError { variable, address, reason });
    let api = open("REDPANE_LISTEN", config.listen)?;
    let metrics = config.metrics_listen.map(|address| open("REDPANE_METRICS_LISTEN", address)).transpose()?;
    let open = |address| {
        let named = |reason| ListenError { variable: "REDPANE_PANE_LISTEN", address, reason };
        server::bind_for_thread(address).map_err(named)
    };
    let pane = match config.pane_listen {
        PaneListen::Off => None,
        PaneListen::At(address) => Some(open(address)?),
        PaneListen::Default => Some(open(PANE.into()).or_else(|_| open((PANE.0, 0).into()))?),
    };
    Ok(Listeners { api, metrics, pane })
}

/// The bounds of the server that `config` asks for.
#[must_use]
pub fn limits(config: &Config) -> Limits {
    Limits {
        header_timeout: config.header_timeout,
        max_connections: config.max_connections,
        shutdown_grace: config.shutdown_grace,
        last_scrape: config.last_scrape,
        // A collector that waits for its own store takes nothing for as long as that takes, and must not lose its place.
        request_timeout: (config.role != Role::DockerReader).then_some(config.request_timeout),
        client_memory: config.client_memory,
        body_limit: config.body_limit,
    }
}

/// Serves until `shutdown` and everything in flight is done, or until `cut` or `config.shutdown_grace` ends the wait;
/// [`server::run`] says what happens in between.
///
/// Signals and the log are the caller's: flush `telemetry` after this returns.
pub async fn run(
    mut listeners: Listeners,
    config: &Config,
    telemetry: &Telemetry,
    shutdown: impl Future<Output = ()>,
    cut: impl Future<Output = ()>,
) -> Ended {
    if config.role == Role::Receiver {
        receiver::preregister_counters(telemetry);
    }
    tracing::info!(
        target: SERVER,
        role = config.role.as_str(),
        listen = %listeners.api_address(),
        metrics_listen = listeners.metrics_address().map(tracing::field::display),
        version = VERSION,
        revision = REVISION,
        faults = config.faults,
        upstream = config.upstream.as_ref().map(tracing::field::display),
        spans_to = config.otlp.as_ref().filter(|otlp| !otlp.is_off()).map(Otlp::endpoint),
        trusted_proxies = joined(&config.trusted_proxies),
        proxy_protocol_from = joined(&config.proxy_protocol_from),
        "listening"
    );
    if let Some(listener) = listeners.pane.take() {
        serve_pane(listener, config.pane_token.as_ref(), listeners.api_address(), telemetry);
    }
    let (end, ending) = watch::channel(false);
    let shutdown = async move {
        shutdown.await;
        end.send_replace(true);
    };
    let trusted = TrustedProxies::new(config.trusted_proxies.clone(), config.proxy_protocol_from.clone());
    server::run(listeners, router(config, telemetry, ending), limits(config), trusted, telemetry, shutdown, cut).await
}

/// The pane has its own thread and ends with the telemetry: a page that is open does not hold up a shutdown.
fn serve_pane(listener: TcpListener, token: Option<&PaneToken>, api: SocketAddr, telemetry: &Telemetry) {
    let this_machine = match api.ip() {
        ip if !ip.is_unspecified() => ip,
        ip if ip.is_ipv4() => Ipv4Addr::LOCALHOST.into(),
        _ => Ipv6Addr::LOCALHOST.into(),
    };
    telemetry.set_pane_service_url(format!("http://{}", SocketAddr::new(this_machine, api.port())));
    if let Err(error) = telemetry.serve_pane(listener, token.map(PaneToken::as_str)) {
        tracing::warn!(target: SERVER, error = &error as &dyn std::error::Error, "the pane is not served");
    }
}

/// For the line that says what the service does; `None` where there are none.
fn joined(networks: &[IpNet]) -> Option<String> {
    let networks: Vec<_> = networks.iter().map(ToString::to_string).collect();
    (!networks.is_empty()).then(|| networks.join(","))
}

fn router(config: &Config, telemetry: &Telemetry, ending: watch::Receiver<bool>) -> Router {
    let (body_limit, request_timeout) = (config.body_limit, config.request_timeout);
    match config.role {
        Role::Serve => {
            let next = config.upstream.clone().map(|upstream| (upstream.clone(), demo::calls(telemetry, &upstream)));
            let (app, with_faults) = (config.app.clone(), config.faults);
            demo::router(demo::Options { body_limit, request_timeout, with_faults, app, next })
        }
        Role::Receiver => receiver::router(telemetry, body_limit, request_timeout),
        Role::DockerReader => {
            let (socket, lives) = (Path::new(DOCKER_SOCKET), Path::new(DOCKER_LIVES));
            docker_reader::router(docker_reader::Options { socket, lives, loki: LOKI, ending })
        }
    }
}

/// An address of the settings that could not be opened.
#[derive(Debug)]
pub struct ListenError {
    /// The setting that holds the address.
    pub variable: &'static str,
    /// The address.
    pub address: SocketAddr,
    /// Why it could not be opened.
    pub reason: BindError,
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variable, address, reason } = self;
        write!(f, "cannot listen on {address}, set by {variable} ({}): {reason}", flag(variable))
    }
}

impl std::error::Error for ListenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.reason)
    }
}
