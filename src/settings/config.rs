//! Every setting with its default and its bounds.

use std::io::IsTerminal;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use redpane::{LogFormat, MetricNames, Otlp, OverflowPolicy};
use tracing_subscriber::filter::{LevelFilter, Targets};

use super::address::is_taken_by;
use super::error::BadSettings;
use super::pane::{self, PaneListen, PaneToken};
use super::reader::Reader;
use super::role::Role;
use super::source::Source;
use super::upstream::Upstream;
use crate::log_targets::RECEIVER;

/// How long a log line may wait for room in the buffer under `REDPANE_LOG_WHEN_FULL=block`. After that it is dropped
/// and counted: without a bound, a reader of stdout that never returns would stop the service.
const LOG_BLOCK_DEADLINE: Duration = Duration::from_secs(1);

/// More threads than any machine has processors.
const MOST_THREADS: usize = 4096;
const MILLISECOND: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_secs(3600);
const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
const GIB: usize = 1024 * MIB;

/// All settings of a service. The fields have the names of their variables.
#[derive(Debug, Clone)]
pub struct Config {
    /// What is served. Set by the command, not by a variable.
    pub role: Role,
    /// Address of the API. Port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Own address for `/metrics`; `None` serves it beside the API.
    pub metrics_listen: Option<SocketAddr>,
    /// Where the pane is. Only `redpane serve` has one.
    pub pane_listen: PaneListen,
    /// What opens the pane.
    pub pane_token: Option<PaneToken>,
    /// The `app` field of every log line.
    pub app: String,
    /// Which log lines are written.
    pub log: Targets,
    /// JSON lines, or text for people.
    pub log_format: LogFormat,
    /// Bytes of log lines that may wait for stdout.
    pub log_buffer_bytes: usize,
    /// What happens to a line when that buffer is full.
    pub log_when_full: OverflowPolicy,
    /// The share of access lines that are kept of requests that end well and fast.
    pub access_sample: f64,
    /// Requests that take this long keep their access line whatever the share is.
    pub access_slow: Duration,
    /// The next service, which `/checkout` asks; `None` where this is the last one.
    pub upstream: Option<Upstream>,
    /// Proxies that are believed when they say who a client is: addresses and networks.
    pub trusted_proxies: Vec<IpNet>,
    /// Proxies whose PROXY protocol header is believed, and nothing else of theirs.
    pub proxy_protocol_from: Vec<IpNet>,
    /// Time until an answer must begin; then 503.
    pub request_timeout: Duration,
    /// Time a client has for a complete request head, and an idle connection before it is closed.
    pub header_timeout: Duration,
    /// Largest request body in bytes; then 413.
    pub body_limit: usize,
    /// Connections open at once, per listener; further ones wait to be accepted.
    pub max_connections: usize,
    /// Bytes held for all clients together; then new requests get 503, and those who take their answers slowest are cut off.
    pub client_memory: usize,
    /// Time requests in flight have after the first signal.
    pub shutdown_grace: Duration,
    /// `REDPANE_LAST_SCRAPE`.
    pub last_scrape: Duration,
    /// Label sets of the HTTP metrics.
    pub series_limit: usize,
    /// Names of the HTTP metrics.
    pub metric_names: MetricNames,
    /// Where spans of requests are exported to, and which; `None` where nobody wants them. Of the variables `OTEL_*`. Off where they
    /// ask for what is not supported.
    pub otlp: Option<Otlp>,
    /// Whether `/faults` exists.
    pub faults: bool,
    /// Threads that answer requests. Of `TOKIO_WORKER_THREADS`, over which tokio itself panics where it is wrong.
    pub worker_threads: usize,
}

impl Config {
    /// The settings of a start without flags or variables.
    #[must_use]
    pub fn defaults(role: Role) -> Self {
        let nothing = |_: &str| None;
        Self::read_with(role, &mut Reader::new(&nothing))
    }

    /// Reads every setting.
    ///
    /// # Errors
    /// [`BadSettings`] with every setting that cannot be used, not only the first.
    pub fn read(role: Role, source: &dyn Source) -> Result<Self, BadSettings> {
        let mut reader = Reader::new(source);
        let config = Self::read_with(role, &mut reader);
        reader.finish(config)
    }

    fn read_with(role: Role, reader: &mut Reader<'_>) -> Self {
        let seconds = Duration::from_secs;
        let default_app = match role {
            Role::Serve => "api",
            Role::Receiver => "alerts",
            Role::DockerReader => "docker-reader",
        };
        let when_full =
            [("drop", OverflowPolicy::Drop), ("block", OverflowPolicy::Block { deadline: LOG_BLOCK_DEADLINE })];
        let formats = [("json", LogFormat::Json), ("pretty", LogFormat::Pretty)];
        let names = [("redpane", MetricNames::Redpane), ("otel", MetricNames::Otel), ("both", MetricNames::Both)];
        let listen = api_address(reader);
        let metrics_listen = metrics_address(reader, listen);
        let otlp = reader.otlp("REDPANE_TRACE_KEEP");
        let (pane_listen, pane_token) = pane::read(reader, listen, metrics_listen);
        let body_limit = reader.size("REDPANE_BODY_LIMIT", MIB, 1..=GIB);
        Self {
            role,
            listen,
            metrics_listen,
            pane_listen: if role == Role::Serve { pane_listen } else { PaneListen::Off },
            pane_token,
            app: app(reader).unwrap_or_else(|| default_app.to_owned()),
            log: log_filter(reader, role),
            log_format: reader.choice("REDPANE_LOG_FORMAT", &formats).unwrap_or_else(default_format),
            log_buffer_bytes: reader.size("REDPANE_LOG_BUFFER_BYTES", 16 * MIB, 64 * KIB..=GIB),
            log_when_full: reader.choice("REDPANE_LOG_WHEN_FULL", &when_full).unwrap_or(OverflowPolicy::Drop),
            access_sample: reader.share("REDPANE_ACCESS_SAMPLE", 1.0),
            access_slow: reader.duration("REDPANE_ACCESS_SLOW", seconds(1), Duration::ZERO..=HOUR),
            upstream: reader.upstream("REDPANE_UPSTREAM"),
            trusted_proxies: reader.networks("REDPANE_TRUSTED_PROXIES").unwrap_or_default(),
            proxy_protocol_from: reader.networks("REDPANE_PROXY_PROTOCOL_FROM").unwrap_or_default(),
            request_timeout: reader.duration("REDPANE_REQUEST_TIMEOUT", seconds(30), MILLISECOND..=HOUR),
            header_timeout: reader.duration("REDPANE_HEADER_TIMEOUT", seconds(10), 10 * MILLISECOND..=HOUR),
            body_limit,
            max_connections: reader.count("REDPANE_MAX_CONNECTIONS", 10_000, 1..=1_000_000),
            client_memory: client_memory(reader, body_limit),
            shutdown_grace: reader.duration("REDPANE_SHUTDOWN_GRACE", seconds(25), Duration::ZERO..=HOUR),
            last_scrape: reader.duration("REDPANE_LAST_SCRAPE", Duration::ZERO, Duration::ZERO..=HOUR),
            series_limit: reader.count("REDPANE_SERIES_LIMIT", 10_000, 1..=1_000_000),
            metric_names: reader.choice("REDPANE_METRIC_NAMES", &names).unwrap_or_default(),
            otlp,
            faults: reader.boolean("REDPANE_FAULTS", false),
            worker_threads: reader.count("TOKIO_WORKER_THREADS", processors(), 1..=MOST_THREADS),
        }
    }
}

/// The name that OpenTelemetry knows the service by is its name here too, unless it has another.
fn app(reader: &mut Reader<'_>) -> Option<String> {
    let own = reader.name("REDPANE_APP").or_else(|| reader.name("OTEL_SERVICE_NAME"));
    own.or_else(|| {
        let name = reader.otel_service_name()?;
        reader.checked_name("OTEL_RESOURCE_ATTRIBUTES", &name)
    })
}

/// What the receiver answers 200 has its line: with a filter that hides alerts it is not started.
fn log_filter(reader: &mut Reader<'_>, role: Role) -> Targets {
    let needed = (role == Role::Receiver).then_some(RECEIVER);
    let filter = reader.log_filter("REDPANE_LOG", needed);
    filter.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO))
}

/// `REDPANE_LISTEN` alone: the health check must work where another setting is bad.
///
/// # Errors
/// [`BadSettings`] where it is no address.
pub fn listen_address(source: &dyn Source) -> Result<SocketAddr, BadSettings> {
    let mut reader = Reader::new(source);
    let address = api_address(&mut reader);
    reader.finish(address)
}

fn api_address(reader: &mut Reader<'_>) -> SocketAddr {
    reader.address("REDPANE_LISTEN").unwrap_or_else(|| (Ipv4Addr::UNSPECIFIED, 8000).into())
}

fn metrics_address(reader: &mut Reader<'_>, listen: SocketAddr) -> Option<SocketAddr> {
    let variable = "REDPANE_METRICS_LISTEN";
    let address = reader.address(variable)?;
    if is_taken_by(address, listen) {
        let expected = "another address than REDPANE_LISTEN, or unset to serve /metrics on that one";
        reader.reject(variable, &address.to_string(), expected);
    }
    Some(address)
}

/// What tokio takes where nothing is said.
fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Room for a largest body at least: with less none could arrive.
fn client_memory(reader: &mut Reader<'_>, body_limit: usize) -> usize {
    let variable = "REDPANE_CLIENT_MEMORY";
    let memory = reader.size(variable, body_limit.max(64 * MIB), MIB..=64 * GIB);
    if memory < body_limit {
        let expected = "at least as much as REDPANE_BODY_LIMIT, or no body of that size could arrive";
        reader.reject(variable, &format!("{memory} bytes"), expected);
    }
    memory
}

/// People read a terminal; programs read everything else.
fn default_format() -> LogFormat {
    if std::io::stdout().is_terminal() { LogFormat::Pretty } else { LogFormat::Json }
}

#[cfg(test)]
mod tests;
