//! The handle to everything that one application observes about itself.

use std::io::{self, Write};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::routing::{MethodRouter, get};
use http::HeaderMap;
use tracing::{Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

use crate::instrument::InstrumentLayer;
use crate::logs::line::{ACCESS_TARGET, App, Line};
use crate::logs::pretty::PrettyWriter;
use crate::logs::sink::Sink;
use crate::logs::{FlushError, LogFormat, LogLayer, json, panics};
use crate::metrics::exposition::label;
use crate::metrics::series::HttpMetrics;
use crate::metrics::{ExpositionFormat, Recorder, exposition, scrape};
use crate::options::{CheckedBounds, Options};

/// What [`Redpane`](crate::Redpane) builds: a cheap handle, whose clones share everything. Two of them in one process
/// do not disturb each other.
#[derive(Clone)]
pub struct Telemetry {
    pub(crate) shared: Arc<Shared>,
}

/// What the handles, the middleware and the contexts of requests share.
pub(crate) struct Shared {
    pub(crate) app: App,
    pub(crate) sink: Sink,
    pub(crate) filter: Targets,
    /// Whether access lines of ERROR, WARN and INFO are written.
    pub(crate) access: [bool; 3],
    pub(crate) http: HttpMetrics,
    pub(crate) recorder: Recorder,
    pub(crate) build_labels: String,
    pub(crate) mounted: Vec<String>,
    /// Held by the one scrape that renders; the value is the capacity that the last one would have needed.
    pub(crate) scrape_turn: Arc<tokio::sync::Mutex<usize>>,
    scrape_hooks: RwLock<Vec<ScrapeHook>>,
    metrics_path: String,
    metrics_route: bool,
}

type ScrapeHook = Box<dyn Fn() + Send + Sync>;

impl Telemetry {
    pub(crate) fn start(mut options: Options, bounds: CheckedBounds) -> io::Result<Self> {
        let app = App::new(&options.app);
        let announcing = app.clone();
        let announce = move |out: &mut Vec<u8>, lost: u64| {
            let line = Line::begin(&announcing, Level::WARN, "redpane::logs", None);
            let mut line = line.message(format_args!("log lines were lost"));
            line.field(",\"lines\":", |value| json::integer(value, lost));
            out.extend_from_slice(&line.finish());
        };
        let writer: Box<dyn Write + Send> = match options.format {
            LogFormat::Json => options.writer,
            LogFormat::Pretty => Box::new(PrettyWriter::new(options.writer)),
        };
        let sink = Sink::start(writer, options.buffer_bytes, options.when_full, Box::new(announce))?;
        options.quiet.insert(options.metrics_path.clone());
        let http =
            HttpMetrics::new(bounds.durations, bounds.sizes, options.series_limit, options.quiet, options.streaming);
        for (method, route) in &options.announced {
            http.announce(method, route);
        }
        let mut build_labels = String::new();
        label(&mut build_labels, "version", &options.version);
        label(&mut build_labels, "revision", &options.revision);
        let enabled = |level| options.filter.would_enable(ACCESS_TARGET, &level);
        Ok(Self {
            shared: Arc::new(Shared {
                access: [Level::ERROR, Level::WARN, Level::INFO].map(enabled),
                app,
                sink,
                filter: options.filter,
                http,
                recorder: Recorder::new(bounds.default_bounds, bounds.histograms),
                build_labels,
                mounted: options.mounted,
                scrape_turn: Arc::default(),
                scrape_hooks: RwLock::default(),
                metrics_path: options.metrics_path,
                metrics_route: options.metrics_route,
            }),
        })
    }

    /// Instruments a router and adds the metrics route to it, unless that was switched off.
    ///
    /// # Panics
    /// As axum does, if the router has a route at the metrics path already.
    pub fn instrument<S: Clone + Send + Sync + 'static>(&self, router: Router<S>) -> Router<S> {
        panics::observe();
        let router = match self.shared.metrics_route {
            true => router.route(&self.shared.metrics_path, self.metrics_route()),
            false => router,
        };
        router.layer(InstrumentLayer::new(&self.shared))
    }

    /// A router with the metrics route only, instrumented too, for a listener of its own.
    pub fn metrics_router(&self) -> Router {
        panics::observe();
        Router::new().route(&self.shared.metrics_path, self.metrics_route()).layer(InstrumentLayer::new(&self.shared))
    }

    fn metrics_route<S: Clone + Send + Sync + 'static>(&self) -> MethodRouter<S> {
        let telemetry = Arc::clone(&self.shared);
        // The application's own fallback, set before this route came, does not reach it.
        get(move |headers: HeaderMap| scrape::answer(Arc::clone(&telemetry), headers)).fallback(scrape::wrong_method)
    }

    /// The layer for an application that has its own `tracing` subscriber: every event that passes the builder's log
    /// filter becomes a line of this telemetry.
    #[must_use]
    pub fn log_layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    {
        LogLayer::new(Arc::clone(&self.shared)).with_filter(self.shared.filter.clone())
    }

    /// The recorder behind the `metrics` macros, for code that runs outside of requests.
    #[must_use]
    pub fn recorder(&self) -> Recorder {
        self.shared.recorder.clone()
    }

    /// Everything a scrape would get. Blocks for milliseconds where there are thousands of series: not for an async task.
    #[must_use]
    pub fn render(&self, format: ExpositionFormat) -> String {
        self.shared.run_scrape_hooks();
        exposition::render(&self.shared, format, 0)
    }

    /// Runs `hook` before every scrape, on a blocking thread and with this telemetry's recorder as the current one: the
    /// place to set gauges that are only worth reading when somebody looks.
    pub fn on_scrape(&self, hook: impl Fn() + Send + Sync + 'static) {
        self.shared.scrape_hooks.write().unwrap_or_else(PoisonError::into_inner).push(Box::new(hook));
    }

    /// Requests being served: from their arrival to the end of their response body.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.shared.http.in_flight.get()
    }

    /// Waits until every line logged so far is written.
    ///
    /// # Errors
    /// If the deadline passes first; the error says how many lines are still waiting.
    pub fn flush(&self, deadline: Duration) -> Result<(), FlushError> {
        self.shared.sink.flush(deadline)
    }
}

impl Shared {
    pub(crate) fn would_log(&self, target: &str, level: Level) -> bool {
        self.filter.would_enable(target, &level)
    }

    pub(crate) fn run_scrape_hooks(&self) {
        let hooks = self.scrape_hooks.read().unwrap_or_else(PoisonError::into_inner);
        metrics::with_local_recorder(&self.recorder, || hooks.iter().for_each(|hook| hook()));
    }
}

impl std::fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Telemetry").field("in_flight", &self.in_flight()).finish_non_exhaustive()
    }
}
