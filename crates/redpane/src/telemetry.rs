//! The handle to everything that one application observes about itself.

#[cfg(feature = "pane")]
pub(crate) mod pane;
#[cfg(feature = "otlp")]
mod spans;

use std::io;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
#[cfg(feature = "otlp")]
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, Method, Response};
use tracing::Subscriber;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

use crate::client::OutgoingLayer;
use crate::logs::access;
use crate::logs::filter::{FilterLayer, LogFilterError};
use crate::logs::flush_guard::{self, FlushGuard};
use crate::logs::layer::LogLayer;
use crate::logs::level::LEVELS;
use crate::logs::log::{Log, LogOptions};
use crate::logs::losses::{DropReason, FlushError, LogLosses};
use crate::logs::panics;
use crate::logs::promoted::PromoteLayer;
use crate::metrics::calls::CallMetrics;
use crate::metrics::catalogue;
use crate::metrics::dimensions::Dimensions;
use crate::metrics::encode::ExpositionFormat;
use crate::metrics::grpc::GrpcMetrics;
use crate::metrics::http::HttpMetrics;
use crate::metrics::otel::{Shown, Target};
use crate::metrics::recorder::Recorder;
use crate::metrics::registry::{Naming, Registry};
use crate::metrics::scrape;
use crate::metrics::snapshot::Family;
use crate::metrics::streams::StreamMetrics;
use crate::middleware::declared_label::DeclaredLabel;
use crate::middleware::layer::InstrumentLayer;
use crate::middleware::pipeline::Pipeline;
use crate::middleware::route_label::RouteLabels;
use crate::options::{Checked, Options};
use crate::request::endpoint::EndpointInfo;
use crate::request::promoted_names::PromotedNames;
#[cfg(feature = "otlp")]
use crate::{
    metrics::route::{OVERFLOW, UNMATCHED},
    traces::batch::SpanBuffer,
    traces::counts::SpanCounts,
    traces::internal::SpanLayer,
    traces::recorder::Traces,
    traces::span::encode_endpoint,
};

#[cfg(feature = "pane")]
use self::pane::RunningPane;

/// What [`Redpane`](crate::Redpane) builds: a cheap handle, whose clones share everything. Two of them in one process
/// do not disturb each other.
///
/// When the last handle is dropped, and every router and layer made of it, the lines that are left are written: at the end
/// of `main` nothing has to be called. That waits for a log output that does not move for one second at most, and for the
/// backtrace of a panic that is still being written for ten.
#[derive(Clone)]
pub struct Telemetry {
    core: Arc<Core>,
    flush: Arc<FlushGuard>,
}

/// A telemetry without its end: what the process keeps of an installed one.
pub(crate) struct Core {
    app: String,
    log: Arc<Log>,
    pipeline: Arc<Pipeline>,
    #[cfg(feature = "otlp")]
    spans: Option<Arc<SpanBuffer>>,
    #[cfg(feature = "otlp")]
    traces: Option<Arc<Traces>>,
    #[cfg_attr(not(feature = "axum"), expect(dead_code, reason = "the route is axum's"))]
    metrics_path: String,
    #[cfg_attr(not(feature = "axum"), expect(dead_code, reason = "the route is axum's"))]
    metrics_route: bool,
    #[cfg(feature = "pane")]
    pane: Option<Arc<RunningPane>>,
    /// The end that all handles share; a new one where all of them are gone.
    flush: Mutex<Weak<FlushGuard>>,
}

impl Core {
    pub(crate) fn app(&self) -> &str {
        &self.app
    }
}

impl Telemetry {
    pub(crate) fn start(mut options: Options, checked: Checked) -> io::Result<Self> {
        #[cfg(feature = "pane")]
        let pane = pane::new(&options, &checked);
        #[cfg(not(feature = "pane"))]
        let tap = None;
        #[cfg(feature = "pane")]
        let tap = pane.as_ref().map(|pane| {
            let lines = Arc::clone(&pane.lines);
            Box::new(move |batch: &[u8]| lines.append(batch)) as _
        });
        let promoted = PromotedNames::new(mem::take(&mut options.promoted));
        let log = Arc::new(Log::start(LogOptions {
            app: options.app.clone(),
            filter: options.filter,
            format: options.format,
            writer: options.writer,
            buffer_bytes: options.buffer_bytes,
            overflow: options.overflow,
            ids_from: options.ids_from.clone(),
            promoted: promoted.clone(),
            sampling: checked.sampling,
            tap,
        })?);
        flush_guard::at_thread_end(&log);
        options.log_failures_only.insert(options.metrics_path.clone());
        #[cfg(feature = "otlp")]
        let exports_spans = options.otlp.as_ref().is_some_and(|otlp| !otlp.is_off);
        #[cfg(feature = "otlp")]
        let tap = {
            #[cfg(feature = "pane")]
            let spans = pane.as_ref().and_then(|pane| pane.spans.clone());
            #[cfg(feature = "pane")]
            let tap = spans.map(|spans| Box::new(move |batch: &[u8]| spans.append(batch)) as _);
            #[cfg(not(feature = "pane"))]
            let tap = None;
            tap
        };
        #[cfg(feature = "otlp")]
        let traces = spans::start(options.otlp.take(), &options.app, &options.version, &log, tap)?;
        let describe = move |method: &'static str, route: &str| EndpointInfo {
            method,
            route: route.into(),
            encoded: access::encode_endpoint(method, route),
            log_failures_only: options.log_failures_only.contains(route),
            until_headers: options.until_headers.contains(route),
            until_end: options.until_end.contains(route),
            #[cfg(feature = "otlp")]
            span: match exports_spans {
                true => encode_endpoint(method, route, route != UNMATCHED && route != OVERFLOW),
                false => Box::default(),
            },
        };
        let calls = CallMetrics::new(Arc::clone(&checked.durations), options.series_limit);
        let http = HttpMetrics::new(
            Arc::clone(&checked.counted),
            checked.sizes,
            options.series_limit,
            Dimensions::new(&options.labels, options.names.has_otel()),
            Box::new(describe),
        );
        let declared = options.labels.into_iter().zip(options.label_values);
        let declared = declared.map(|(label, find)| DeclaredLabel { values: label.values, find }).collect();
        options.preregistered.iter().for_each(|(method, route)| http.preregister(method, route));
        let mut grpc = GrpcMetrics::new(options.series_limit);
        for (service, method) in &options.grpc {
            let path = format!("/{service}/{}", method.name);
            http.preregister(&Method::POST, &path);
            grpc.declare(&path, method.kind);
        }
        let streams = StreamMetrics::new(checked.streams, options.series_limit);
        let recorder = Recorder::new(checked.default_bounds, checked.histograms, options.names.has_otel());
        let counted = Arc::clone(&log);
        #[cfg(not(feature = "otlp"))]
        let source = Box::new(move || log_families(&counted));
        #[cfg(feature = "otlp")]
        let spans = traces.as_ref().map(|traces| Arc::clone(traces.buffer()));
        #[cfg(feature = "otlp")]
        let source = {
            let spans = spans.clone();
            Box::new(move || {
                let mut families = log_families(&counted);
                families.extend(spans.iter().flat_map(|spans| spans::families(spans)));
                families
            })
        };
        #[cfg(feature = "pane")]
        let source = pane::with_bytes(source, pane.clone());
        let otel = options.names.has_otel();
        let shown = |bounds| Shown::new(bounds, &checked.counted);
        let names = Naming {
            names: options.names,
            redpane: otel.then(|| shown(checked.durations)),
            otel: otel.then(|| shown(checked.otel)),
            target: Target { name: options.app.clone(), version: options.version.clone() },
        };
        let registry =
            Registry::new(http, (streams, grpc), calls, recorder, source, names, [&options.version, &options.revision]);
        let registry = Arc::new(registry);
        #[cfg(feature = "pane")]
        let pane = match pane {
            Some(pane) => Some(Arc::new(RunningPane::start(pane, &registry, &log)?)),
            None => None,
        };
        let pipeline = Pipeline {
            log: Arc::clone(&log),
            registry,
            labels: RouteLabels { nested_services: options.nested_services, label_request: options.label_request },
            declared,
            policy: options.policy,
            #[cfg(not(feature = "otlp"))]
            spans: None,
            #[cfg(feature = "otlp")]
            spans: traces.clone().map(|traces| traces as _),
            ids_from: options.ids_from,
            promoted,
            observers: options.observers,
            #[cfg(not(feature = "pane"))]
            kept: None,
            #[cfg(feature = "pane")]
            kept: pane.clone().map(|pane| pane as _),
        };
        let flush = FlushGuard::new(&log);
        let core = Core {
            app: options.app,
            log,
            pipeline: Arc::new(pipeline),
            #[cfg(feature = "otlp")]
            spans,
            #[cfg(feature = "otlp")]
            traces,
            metrics_path: options.metrics_path,
            metrics_route: options.metrics_route,
            #[cfg(feature = "pane")]
            pane,
            flush: Mutex::new(Arc::downgrade(&flush)),
        };
        let telemetry = Self { core: Arc::new(core), flush };
        #[cfg(feature = "pane")]
        if let Some(pane) = telemetry.pane().filter(|_| options.pane == crate::options::Pane::HistoryAndListener) {
            pane.serve_here();
        }
        Ok(telemetry)
    }

    /// A handle to what another handle has shared.
    pub(crate) fn from_core(core: Arc<Core>) -> Self {
        let mut current = core.flush.lock().unwrap_or_else(PoisonError::into_inner);
        let flush = current.upgrade().unwrap_or_else(|| {
            let flush = FlushGuard::new(&core.log);
            *current = Arc::downgrade(&flush);
            flush
        });
        drop(current);
        Self { core, flush }
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    pub(crate) fn log(&self) -> &Arc<Log> {
        &self.core.log
    }

    pub(crate) fn app(&self) -> &str {
        self.core.app()
    }

    /// What makes fields of requests of fields of `tracing` spans.
    pub(crate) fn promote_layer(&self) -> PromoteLayer {
        PromoteLayer(self.core.pipeline.promoted.clone())
    }

    /// What makes spans of `tracing` spans inside of requests.
    #[cfg(feature = "otlp")]
    pub(crate) fn span_layer(&self) -> SpanLayer {
        SpanLayer(self.core.traces.clone())
    }

    fn registry(&self) -> &Arc<Registry> {
        &self.core.pipeline.registry
    }

    /// A `tower` layer that observes any HTTP service, whatever its bodies and its error are: a hyper or tonic service, a
    /// stack of other layers, a router (`Router::layer`). It has no metrics route: serve
    /// [`metrics_response`](Self::metrics_response), or `metrics_router` (feature `axum`) on a listener of its own.
    ///
    /// The label `route` is the method path of a gRPC call, else axum's route template where the layer is inside of a
    /// router, else what [`Redpane::route_label`](crate::Redpane::route_label) says, else `unmatched`.
    #[must_use]
    pub fn layer(&self) -> InstrumentLayer {
        panics::add_hook();
        InstrumentLayer::new(&self.core.pipeline, &self.flush)
    }

    /// A `tower` layer for the HTTP client that calls `peer`: it passes the trace context on and counts the calls. `peer` is
    /// a name that you give, such as that of the service: each one is a label set of its own.
    /// [`OutgoingLayer`] says what it does, and has options.
    #[must_use]
    pub fn outgoing_layer(&self, peer: impl Into<String>) -> OutgoingLayer {
        OutgoingLayer::new(self.registry(), peer.into(), self.core.pipeline.ids_from.clone())
    }

    /// The answer to a scrape: `headers` are those of the request, which choose the format (`Accept`) and compression
    /// (`Accept-Encoding`). Must be called inside a tokio runtime. Scrapes are rendered one at a time, on a blocking thread.
    pub async fn metrics_response(&self, headers: &HeaderMap) -> Response<Bytes> {
        scrape::answer(Arc::clone(self.registry()), headers).await
    }

    /// The layer for an application that has its own `tracing` subscriber: every event that passes the builder's log
    /// filter becomes a line of this telemetry.
    #[must_use]
    pub fn log_layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    {
        let layer = LogLayer::new(Arc::clone(&self.core.log)).and_then(self.promote_layer());
        #[cfg(feature = "otlp")]
        let layer = layer.and_then(self.span_layer());
        layer.with_filter(FilterLayer(Arc::clone(self.core.log.filter())))
    }

    /// The recorder behind the `metrics` macros, for code that runs outside of requests.
    #[must_use]
    pub fn recorder(&self) -> Recorder {
        self.registry().recorder.clone()
    }

    /// Everything a scrape would get. Blocks for milliseconds where there are thousands of series: not for an async task.
    #[must_use]
    pub fn render(&self, format: ExpositionFormat) -> String {
        self.registry().render(format, 0)
    }

    /// How many requests were counted so, whatever their other labels are.
    pub(crate) fn count_requests(&self, method: &str, route: &str, status: u16) -> u64 {
        self.registry().http.count(method, route, status)
    }

    /// Runs `hook` before every scrape, and each second where there is a pane (less often with thousands of label sets), with this telemetry's recorder as the current
    /// one: the place to set gauges that are only worth reading when somebody looks. It may block for milliseconds: no async
    /// task waits for it.
    pub fn on_scrape(&self, hook: impl Fn() + Send + Sync + 'static) {
        self.registry().on_scrape(Arc::new(hook));
    }

    /// Requests being served: from their arrival to the end of their response body, or to the headers of an answer that
    /// streams: what goes on then is in `http_streams_in_flight` alone. All of them, also those of routes that log failures
    /// only, which `http_requests_in_flight` leaves out.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.registry().http.being_served()
    }

    /// Uses other log filter directives for this long, up to 24 hours; then those of the builder come back by themselves. Log
    /// lines say both. A second call replaces the first one. Access lines, `tracing` events and records of the `log` crate
    /// obey; a filter of another layer of yours does not know of it. Where a subscriber of the application's own has
    /// [`log_layer`](Self::log_layer), `log::max_level` is raised as far as these directives ask for, and comes back with them.
    ///
    /// # Errors
    /// A time that is zero or longer than 24 hours, or that the system refuses a thread.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # let telemetry = redpane::Redpane::new("api").log_writer(std::io::sink()).build().unwrap();
    /// let directives = redpane::parse_log_filter("info,shop=debug").unwrap();
    /// telemetry.set_log_filter(directives, Duration::from_secs(600)).unwrap();
    /// ```
    pub fn set_log_filter(&self, directives: Targets, for_duration: Duration) -> Result<(), LogFilterError> {
        self.core.log.set_filter(directives, for_duration)
    }

    /// Puts the builder's log filter back at once.
    pub fn restore_log_filter(&self) {
        self.core.log.restore_filter(false);
    }

    /// Waits until every line logged so far is written, or counted as lost in `log_lines_dropped_total` where the output
    /// failed. A return from `main` and a panic do so by themselves. It is for
    /// other ends: `std::process::exit`, `abort`, and a signal that has no handler, which leaves no time for anything. On
    /// Windows and with musl, lines that are logged after the last handle was dropped need it too.
    ///
    /// # Errors
    /// If the deadline passes first; the error says how many lines are still waiting.
    pub fn flush(&self, deadline: Duration) -> Result<(), FlushError> {
        #[cfg(feature = "otlp")]
        let (started, spans) =
            (Instant::now(), self.core.spans.as_ref().and_then(|spans| spans.flush(deadline).err()).unwrap_or(0));
        #[cfg(feature = "otlp")]
        let deadline = deadline.saturating_sub(started.elapsed());
        let flushed = self.core.log.flush(deadline);
        #[cfg(feature = "otlp")]
        if spans > 0 {
            return Err(FlushError { spans, lines: flushed.map_or_else(|error| error.lines, |()| 0) });
        }
        flushed
    }

    /// Ends the export of spans: waits until the receiver has those that were made so far, drops and counts what it has not
    /// when the deadline passes, and every span that comes later. For the end of a process, where somebody wants to know
    /// what was lost. All zero where no spans are exported.
    #[cfg(feature = "otlp")]
    #[must_use = "it says how many spans were lost"]
    pub fn end_spans(&self, deadline: Duration) -> SpanCounts {
        self.core.spans.as_ref().map(|spans| spans.end(deadline)).unwrap_or_default()
    }

    /// The lines that are lost so far. Where `lines` is the same before and after an event was logged, its line is in the
    /// buffer; where after a [`flush`](Self::flush) fewer are announced than were lost, the output fails and nobody could
    /// be told.
    #[must_use]
    pub fn log_losses(&self) -> LogLosses {
        self.core.log.losses()
    }
}

#[cfg(feature = "axum")]
impl Telemetry {
    pub(crate) fn has_metrics_route(&self) -> bool {
        self.core.metrics_route
    }

    pub(crate) fn metrics_path(&self) -> &str {
        &self.core.metrics_path
    }

    /// For the metrics route, which must not be a handle: a router may outlive the end of `main`.
    pub(crate) fn scraped(&self) -> Arc<Registry> {
        Arc::clone(self.registry())
    }
}

#[cfg(feature = "pane")]
impl Telemetry {
    pub(crate) fn pane(&self) -> Option<&RunningPane> {
        self.core.pane.as_deref()
    }
}

/// What the log counts.
fn log_families(log: &Log) -> Vec<Family> {
    let counts = log.counts();
    let events = LEVELS.iter().zip(counts.events);
    let dropped = DropReason::NAMES.iter().zip(counts.dropped);
    vec![
        catalogue::LOG_EVENTS.integers(events.map(|(level, count)| (format!("level=\"{level}\"").into(), count))),
        catalogue::LOG_DROPPED.integers(dropped.map(|(reason, count)| (format!("reason=\"{reason}\"").into(), count))),
    ]
}

impl std::fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Telemetry").field("app", &self.core.app).field("in_flight", &self.in_flight()).finish()
    }
}
