//! The commands of the program: each runs to its end and becomes an exit code.

mod executor;

use std::fmt;
use std::io;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use redpane::{InstallError, LogLosses, SpanCounts, Telemetry};
use tokio::runtime::Builder;
use tokio::sync::Mutex;

use crate::log_targets::SERVER;
use crate::server::healthcheck::{self, Unhealthy};
use crate::server::{Listeners, Signals};
use crate::service::{self, ListenError};
use crate::settings::{self, BadSettings, Config, Role, Source};

/// How long the last spans may take to reach their receiver; part of [`FLUSH_DEADLINE`], so that lines have some of it.
const SPANS_DEADLINE: Duration = Duration::from_secs(3);
/// How long the last spans and log lines may take.
const FLUSH_DEADLINE: Duration = Duration::from_secs(5);

/// Every second task that a worker runs comes from the queue that all share, where one does. A flood fills the queues of the
/// workers, and what does not fit goes there: by default one of 61 would, and a client that comes then waits for the flood.
const FAIRNESS: u32 = 2;

/// Ended with requests cut off.
const EXIT_CUT: u8 = 1;
/// The health check found no healthy service.
const EXIT_UNHEALTHY: u8 = 1;
/// `EX_USAGE` of sysexits.h: wrong arguments or settings.
const EXIT_USAGE: u8 = 64;
/// `EX_UNAVAILABLE`: an address could not be opened.
const EXIT_UNAVAILABLE: u8 = 69;
/// `EX_SOFTWARE`: runtime, clock, signals, log or metrics could not be set up.
const EXIT_SOFTWARE: u8 = 70;
/// `EX_IOERR`: log lines could not be written.
const EXIT_IO: u8 = 74;

/// Why a command failed.
#[derive(Debug)]
pub enum Failure {
    /// Settings that cannot be used.
    Settings(BadSettings),
    /// An address that cannot be opened.
    Listen(ListenError),
    /// Log and metrics cannot be installed.
    Install(InstallError),
    /// The system refused a runtime, its descriptors or a signal handler.
    System(io::Error),
    /// The last log lines did not reach stdout.
    Flush(String),
    /// The health check did not find a healthy service.
    Unhealthy(Unhealthy),
}

impl Failure {
    /// The exit code that tells this failure from the others; `redpane --help` lists them.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Settings(_) => EXIT_USAGE,
            Self::Listen(_) => EXIT_UNAVAILABLE,
            Self::Install(_) | Self::System(_) => EXIT_SOFTWARE,
            Self::Flush(_) => EXIT_IO,
            Self::Unhealthy(_) => EXIT_UNHEALTHY,
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settings(error) => error.fmt(f),
            Self::Listen(error) => error.fmt(f),
            Self::Install(error) => write!(f, "cannot set up log and metrics: {error}"),
            Self::System(error) => write!(f, "cannot start: {error}"),
            Self::Flush(error) => write!(f, "the last log lines were not written: {error}"),
            Self::Unhealthy(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Failure {}

/// Prints clap's message. Gives 0 for help and version, which go to stdout; everything else is wrong usage (64).
#[must_use]
pub fn refuse_arguments(message: &clap::Error) -> ExitCode {
    // An error here means that nobody reads the message: there is nobody left to tell.
    drop(message.print());
    if message.use_stderr() { ExitCode::from(EXIT_USAGE) } else { ExitCode::SUCCESS }
}

/// `redpane serve`, `redpane receiver` and `redpane docker-reader`: serves until a signal.
///
/// # Errors
/// Every [`Failure`] but [`Failure::Unhealthy`].
pub fn serve(role: Role, source: &dyn Source) -> Result<ExitCode, Failure> {
    let config = Config::read(role, source).map_err(Failure::Settings)?;
    let descriptors = executor::raise_descriptor_limit();
    if let Some(why) = executor::why_output_is_lost() {
        eprintln!("redpane: {why}: no log line is kept; use >/dev/null if that is meant");
    }
    let mut builder = Builder::new_multi_thread();
    builder.global_queue_interval(FAIRNESS).worker_threads(config.worker_threads);
    let runtime = executor::build(&mut builder).map_err(Failure::System)?;
    let ended = runtime.block_on(async {
        let signals = Signals::listen().map_err(Failure::System)?;
        let listeners = service::bind(&config).map_err(Failure::Listen)?;
        let telemetry = service::telemetry(&config).install().map_err(Failure::Install)?;
        warn_of_unknown_variables();
        executor::before_1970(SystemTime::now()).into_iter().for_each(warn_of_clock);
        if executor::are_too_many(config.max_connections, descriptors) {
            warn_of_few_descriptors(config.max_connections, descriptors);
        }
        Ok((serve_until_signal(listeners, &config, &telemetry, signals).await, telemetry))
    });
    let (cut, telemetry) = ended?;
    // Tasks that still run were cut or belong to no request: they must not hold up the end.
    runtime.shutdown_background();
    let ends = Instant::now() + FLUSH_DEADLINE;
    if config.otlp.as_ref().is_some_and(|otlp| !otlp.is_off()) {
        end_spans(&telemetry);
    }
    telemetry
        .flush(ends.saturating_duration_since(Instant::now()))
        .map_err(|error| Failure::Flush(error.to_string()))?;
    // What is announced was lost in a way that was asked for (`REDPANE_LOG_WHEN_FULL`), or to an output that recovered.
    let LogLosses { lines, announced, .. } = telemetry.log_losses();
    if lines > announced {
        let untold = lines - announced;
        return Err(Failure::Flush(format!("{untold} log lines were lost: the log output failed")));
    }
    Ok(if cut == 0 { ExitCode::SUCCESS } else { ExitCode::from(EXIT_CUT) })
}

/// Waits until the receiver has the last spans, and says what became of all of them.
fn end_spans(telemetry: &Telemetry) {
    let counts = telemetry.end_spans(SPANS_DEADLINE);
    let SpanCounts { exported, dropped, .. } = counts;
    // Nobody can scrape the reasons any more.
    let reasons: Vec<_> = counts.reasons().map(|(reason, spans)| format!("{reason} {spans}")).collect();
    match dropped {
        0 => tracing::info!(target: SERVER, exported, dropped, "every span was exported"),
        _ => {
            tracing::warn!(target: SERVER, exported, dropped, reasons = reasons.join(", "), "{dropped} spans were lost")
        }
    }
}

/// Gives the number of requests that were cut.
async fn serve_until_signal(listeners: Listeners, config: &Config, telemetry: &Telemetry, signals: Signals) -> u64 {
    let signals = Mutex::new(signals);
    let next = |meaning: &'static str| {
        let signals = &signals;
        async move {
            let signal = signals.lock().await.next().await;
            tracing::info!(target: SERVER, signal, "{meaning}");
        }
    };
    let (first, second) = (next("asked to shut down"), next("asked again: shutting down at once"));
    service::run(listeners, config, telemetry, first, second).await.cut
}

fn warn_of_unknown_variables() {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for (variable, nearest) in settings::unknown_variables(names) {
        tracing::warn!(
            target: SERVER,
            variable,
            nearest,
            "unknown variable {variable} has no effect; did you mean {nearest}?"
        );
    }
}

fn warn_of_clock(before_1970: Duration) {
    tracing::warn!(
        target: SERVER,
        before_1970_seconds = before_1970.as_secs(),
        "the clock is set before 1970: answers have no Date, and lines and spans are dated 1970 until it is set"
    );
}

fn warn_of_few_descriptors(max_connections: usize, descriptors: Option<u64>) {
    tracing::warn!(
        target: SERVER,
        max_connections,
        descriptors,
        "REDPANE_MAX_CONNECTIONS cannot be reached: each connection takes a file descriptor; raise the limit (ulimit -n)"
    );
}

/// `redpane healthcheck`: reads no setting but `REDPANE_LISTEN`, and that only without a URL.
///
/// # Errors
/// [`Failure::Settings`] for a bad `REDPANE_LISTEN`, [`Failure::System`] without a runtime, [`Failure::Unhealthy`] for
/// everything else.
pub fn healthcheck(url: Option<String>, source: &dyn Source) -> Result<ExitCode, Failure> {
    let url = match url {
        Some(url) => url,
        None => healthcheck::default_url(settings::listen_address(source).map_err(Failure::Settings)?),
    };
    executor::run_alone(healthcheck::check(&url)).map_err(Failure::System)?.map_err(Failure::Unhealthy)?;
    Ok(ExitCode::SUCCESS)
}
