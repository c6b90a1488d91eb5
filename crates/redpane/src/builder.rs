//! The builder: what people change, with its defaults.

use std::fmt;
use std::io::Write;

use axum::Router;
use http::Method;
use tracing_subscriber::filter::Targets;

use crate::install::InstallError;
use crate::logs::{LogFormat, WhenFull};
use crate::options::{ConfigError, Options};
use crate::telemetry::Telemetry;

/// Instruments an axum application. Start here.
///
/// ```
/// use axum::{Router, routing::get};
/// use redpane::Redpane;
///
/// let app: Router = Redpane::new("api").instrument(Router::new().route("/", get(|| async { "hello" })));
/// ```
#[must_use = "nothing happens before instrument, build or install"]
pub struct Redpane {
    options: Options,
}

impl fmt::Debug for Redpane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redpane").field("app", &self.options.app).finish_non_exhaustive()
    }
}

impl Redpane {
    /// Starts from the defaults. `app` becomes the field `app` of every log line.
    pub fn new(app: impl Into<String>) -> Self {
        Self { options: Options::new(app.into()) }
    }

    /// Where the metrics are served; `/metrics` unless said otherwise. The route is added to the instrumented router.
    pub fn metrics_path(mut self, path: impl Into<String>) -> Self {
        self.options.metrics_path = path.into();
        self
    }

    /// Adds no metrics route: serve [`Telemetry::metrics_router`] on a listener of its own.
    pub fn without_metrics_route(mut self) -> Self {
        self.options.metrics_route = false;
        self
    }

    /// Buckets of `http_request_duration_seconds`, upper bounds in seconds, ascending, without `+Inf`. They are also the
    /// default of the application's own histograms.
    pub fn duration_buckets(mut self, seconds: impl Into<Vec<f64>>) -> Self {
        self.options.duration_buckets = seconds.into();
        self
    }

    /// Buckets of one of the application's own histograms, upper bounds in its own unit, ascending, without `+Inf`.
    pub fn histogram_buckets(mut self, name: impl Into<String>, bounds: impl Into<Vec<f64>>) -> Self {
        self.options.histogram_buckets.push((name.into(), bounds.into()));
        self
    }

    /// Routes (templates) that write an access line only when they fail: a status of 400 or more, or any outcome but
    /// `complete`. They are counted like all others. Adds to `/metrics`, `/healthz` and `/readyz`.
    pub fn quiet<R: Into<String>>(mut self, routes: impl IntoIterator<Item = R>) -> Self {
        self.options.quiet.extend(routes.into_iter().map(Into::into));
        self
    }

    /// Routes (templates) whose responses may last for hours, such as server-sent events: they are counted and logged
    /// when their headers are sent, with the duration until then.
    pub fn streaming<R: Into<String>>(mut self, routes: impl IntoIterator<Item = R>) -> Self {
        self.options.streaming.extend(routes.into_iter().map(Into::into));
        self
    }

    /// Makes the series of a method and route exist from the first scrape, at zero, so that `rate()` sees the very first
    /// request and the very first error.
    pub fn announce(mut self, method: Method, route: impl Into<String>) -> Self {
        self.options.announced.push((method, route.into()));
        self
    }

    /// Names the prefix of a `nest_service`, for which axum gives no route template: requests below it get the label
    /// `route="<prefix>/{*path}"` instead of `unmatched`.
    pub fn mounted(mut self, prefix: impl Into<String>) -> Self {
        self.options.mounted.push(prefix.into());
        self
    }

    /// The most label sets (method, route, status) of the HTTP metrics; 10,000 unless said otherwise. Past it, new ones
    /// are counted under the route `_overflow`.
    pub fn series_limit(mut self, label_sets: usize) -> Self {
        self.options.series_limit = label_sets;
        self
    }

    /// Which lines are written, by target and level: `info` unless said otherwise. Access lines have the target
    /// `redpane::access` and the level `INFO`, `WARN` (4xx, aborted) or `ERROR` (5xx, panic, broken body).
    pub fn log_filter(mut self, directives: Targets) -> Self {
        self.options.filter = directives;
        self
    }

    /// How lines look; JSON unless said otherwise.
    pub fn log_format(mut self, format: LogFormat) -> Self {
        self.options.format = format;
        self
    }

    /// Where lines go; standard output unless said otherwise. Written by a thread of its own, many lines at once.
    pub fn log_writer(mut self, writer: impl Write + Send + 'static) -> Self {
        self.options.writer = Box::new(writer);
        self
    }

    /// The most bytes of log lines waiting in memory for a slow writer; 16 MiB unless said otherwise, 64 KiB at least.
    pub fn log_buffer_bytes(mut self, bytes: usize) -> Self {
        self.options.buffer_bytes = bytes;
        self
    }

    /// What happens to a line that finds the buffer full; it is dropped, counted and announced unless said otherwise.
    pub fn log_when_full(mut self, policy: WhenFull) -> Self {
        self.options.when_full = policy;
        self
    }

    /// The labels of `redpane_build_info`: redpane's version and `unknown` unless said otherwise.
    pub fn build_info(mut self, version: impl Into<String>, revision: impl Into<String>) -> Self {
        self.options.version = version.into();
        self.options.revision = revision.into();
        self
    }

    /// Checks the options and starts the thread that writes the log.
    ///
    /// # Errors
    /// One error that names every bad option, and what would be right.
    pub fn build(self) -> Result<Telemetry, ConfigError> {
        let bounds = self.options.check()?;
        Telemetry::start(self.options, bounds)
            .map_err(|error| ConfigError::one(format!("the log's writer thread did not start: {error}")))
    }

    /// [`build`](Self::build), then [`Telemetry::install`]: the one call for an application that has no subscriber,
    /// metrics recorder or panic hook of its own.
    ///
    /// # Errors
    /// Bad options, or that the process has a global subscriber or recorder already.
    pub fn install(self) -> Result<Telemetry, InstallError> {
        let telemetry = self.build().map_err(InstallError::Config)?;
        telemetry.install()?;
        Ok(telemetry)
    }

    /// The one line: metrics, access log, trace ids and `/metrics` for this router.
    ///
    /// # Panics
    /// With the text of [`ConfigError`] if an option is bad ([`build`](Self::build) returns it instead), and as axum
    /// does if the router has a route at the metrics path already.
    pub fn instrument<S: Clone + Send + Sync + 'static>(self, router: Router<S>) -> Router<S> {
        match self.build() {
            Ok(telemetry) => telemetry.instrument(router),
            Err(error) => panic!("redpane: {error}"),
        }
    }
}
