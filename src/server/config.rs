//! What the service can be told: every setting with its default, its bounds, and the telemetry built from it.

use std::fmt;
use std::io::IsTerminal;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tracing_subscriber::filter::{LevelFilter, Targets};

use super::setting::{BadSetting, Reader, Source};
use redpane::{LogFormat, Redpane, WhenFull};

/// Every variable the service reads. Each has a flag of the same name: `REDPANE_LISTEN` is `--listen`.
pub const VARIABLES: [&str; 14] = [
    "REDPANE_LISTEN",
    "REDPANE_METRICS_LISTEN",
    "REDPANE_APP",
    "REDPANE_LOG",
    "REDPANE_LOG_FORMAT",
    "REDPANE_LOG_BUFFER_BYTES",
    "REDPANE_LOG_WHEN_FULL",
    "REDPANE_REQUEST_TIMEOUT",
    "REDPANE_HEADER_TIMEOUT",
    "REDPANE_BODY_LIMIT",
    "REDPANE_MAX_CONNECTIONS",
    "REDPANE_SHUTDOWN_GRACE",
    "REDPANE_SERIES_LIMIT",
    "REDPANE_FAULTS",
];

/// The release of this program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The commit this program was built from, given to the build as `REDPANE_REVISION`; `unknown` without it.
pub const REVISION: &str = match option_env!("REDPANE_REVISION") {
    Some(revision) if !revision.is_empty() => revision,
    _ => "unknown",
};

/// How long a log line may wait for room in the buffer under `REDPANE_LOG_WHEN_FULL=block`. After that it is dropped
/// and counted: a reader of stdout that is gone for good must not take the service with it.
const LOG_BLOCK_DEADLINE: Duration = Duration::from_secs(1);

const MILLISECOND: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_secs(3600);
const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
const GIB: usize = 1024 * MIB;

/// What the process does with the requests it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// `redpane serve`: the demo API.
    Serve,
    /// `redpane receiver`: writes the alerts it is sent as log lines.
    Receiver,
}

impl Role {
    /// The command that starts it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Serve => "serve",
            Self::Receiver => "receiver",
        }
    }
}

/// All settings of a running service. The fields carry the names of their variables.
#[derive(Debug, Clone)]
pub struct Config {
    /// What is served.
    pub role: Role,
    /// Address of the API. Port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Own address for `/metrics`; `None` serves it beside the API.
    pub metrics_listen: Option<SocketAddr>,
    /// The `app` field of every log line.
    pub app: String,
    /// Which log lines are written.
    pub log: Targets,
    /// JSON lines, or text for people.
    pub log_format: LogFormat,
    /// Bytes of log lines that may wait for stdout.
    pub log_buffer_bytes: usize,
    /// What happens to a line when that buffer is full.
    pub log_when_full: WhenFull,
    /// Time a handler has for its answer; then 503.
    pub request_timeout: Duration,
    /// Time a client has for a complete request head, and an idle connection before it is closed.
    pub header_timeout: Duration,
    /// Largest request body in bytes; then 413.
    pub body_limit: usize,
    /// Connections open at once, each listener for itself; further ones wait to be accepted.
    pub max_connections: usize,
    /// Time requests in flight have after the first signal.
    pub shutdown_grace: Duration,
    /// Label sets of the HTTP metrics.
    pub series_limit: usize,
    /// Whether `/faults` exists.
    pub faults: bool,
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
    /// [`BadSettings`] with all that cannot be used, not only the first.
    pub fn read(role: Role, source: &dyn Source) -> Result<Self, BadSettings> {
        let mut reader = Reader::new(source);
        let config = Self::read_with(role, &mut reader);
        if reader.bad.is_empty() { Ok(config) } else { Err(BadSettings(reader.bad)) }
    }

    fn read_with(role: Role, reader: &mut Reader<'_>) -> Self {
        let seconds = Duration::from_secs;
        let default_app = match role {
            Role::Serve => "api",
            Role::Receiver => "alerts",
        };
        let when_full = [("drop", WhenFull::Drop), ("block", WhenFull::Block { deadline: LOG_BLOCK_DEADLINE })];
        let formats = [("json", LogFormat::Json), ("pretty", LogFormat::Pretty)];
        let listen = listen_address(reader);
        Self {
            role,
            listen,
            metrics_listen: metrics_address(reader, listen),
            app: reader.name("REDPANE_APP").unwrap_or_else(|| default_app.to_owned()),
            log: reader.log_filter("REDPANE_LOG").unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO)),
            log_format: reader.choice("REDPANE_LOG_FORMAT", &formats).unwrap_or_else(default_format),
            log_buffer_bytes: reader.size("REDPANE_LOG_BUFFER_BYTES", 16 * MIB, 64 * KIB..=GIB),
            log_when_full: reader.choice("REDPANE_LOG_WHEN_FULL", &when_full).unwrap_or(WhenFull::Drop),
            request_timeout: reader.duration("REDPANE_REQUEST_TIMEOUT", seconds(30), MILLISECOND..=HOUR),
            header_timeout: reader.duration("REDPANE_HEADER_TIMEOUT", seconds(10), 10 * MILLISECOND..=HOUR),
            body_limit: reader.size("REDPANE_BODY_LIMIT", MIB, 1..=GIB),
            max_connections: reader.count("REDPANE_MAX_CONNECTIONS", 10_000, 1..=1_000_000),
            shutdown_grace: reader.duration("REDPANE_SHUTDOWN_GRACE", seconds(25), Duration::ZERO..=HOUR),
            series_limit: reader.count("REDPANE_SERIES_LIMIT", 10_000, 1..=1_000_000),
            faults: reader.boolean("REDPANE_FAULTS", false),
        }
    }

    /// The telemetry these settings ask for, not yet built: a test may add its own log writer.
    pub fn telemetry(&self) -> Redpane {
        let mut redpane = Redpane::new(&self.app)
            .series_limit(self.series_limit)
            .log_filter(self.log.clone())
            .log_format(self.log_format)
            .log_buffer_bytes(self.log_buffer_bytes)
            .log_when_full(self.log_when_full)
            .build_info(VERSION, REVISION);
        if self.metrics_listen.is_some() {
            redpane = redpane.without_metrics_route();
        }
        let own = match self.role {
            Role::Serve => crate::api::routes(self.faults),
            Role::Receiver => super::receiver::routes(),
        };
        let probes = ["/metrics", "/healthz", "/readyz"].map(|route| (http::Method::GET, route));
        own.into_iter().chain(probes).fold(redpane, |redpane, (method, route)| redpane.announce(method, route))
    }
}

/// The address of the API, also for the health check, which has no use for the other settings.
pub(super) fn listen_address(reader: &mut Reader<'_>) -> SocketAddr {
    reader.address("REDPANE_LISTEN").unwrap_or_else(|| (Ipv4Addr::UNSPECIFIED, 8000).into())
}

fn metrics_address(reader: &mut Reader<'_>, listen: SocketAddr) -> Option<SocketAddr> {
    let variable = "REDPANE_METRICS_LISTEN";
    let address = reader.address(variable)?;
    if address == listen && address.port() != 0 {
        let expected = "another address than REDPANE_LISTEN, or unset to serve /metrics on that one";
        reader.reject(variable, &address.to_string(), expected);
    }
    Some(address)
}

/// People read a terminal, programs read everything else.
fn default_format() -> LogFormat {
    if std::io::stdout().is_terminal() { LogFormat::Pretty } else { LogFormat::Json }
}

/// Everything that is wrong with the settings of one start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadSettings(pub Vec<BadSetting>);

impl fmt::Display for BadSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, noun) = (self.0.len(), if self.0.len() == 1 { "setting" } else { "settings" });
        write!(f, "cannot start, {count} bad {noun}:")?;
        self.0.iter().try_for_each(|bad| write!(f, "\n  {bad}"))
    }
}

impl std::error::Error for BadSettings {}

/// Names that look like ours but are not, each with the nearest one that exists: a misspelt variable would otherwise
/// do nothing, silently.
pub fn unknown_variables(names: impl IntoIterator<Item = String>) -> Vec<(String, &'static str)> {
    let names: Vec<String> = names.into_iter().filter(|name| name.starts_with("REDPANE_")).collect();
    // Kubernetes describes a Service called "redpane" to every container in variables of this shape.
    let beside_service = names.iter().any(|name| name == "REDPANE_SERVICE_HOST");
    let of_service = |name: &str| name.starts_with("REDPANE_SERVICE_") || name.starts_with("REDPANE_PORT");
    let strange = names.into_iter().filter(|name| {
        !VARIABLES.contains(&name.as_str()) && name != "REDPANE_REVISION" && !(beside_service && of_service(name))
    });
    strange.map(|name| (nearest(&name), name)).map(|(nearest, name)| (name, nearest)).collect()
}

fn nearest(name: &str) -> &'static str {
    let closeness = |known: &&&str| (strsim::jaro_winkler(name, known) * 1e6) as u64;
    VARIABLES.iter().max_by_key(closeness).copied().unwrap_or("REDPANE_LISTEN")
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
