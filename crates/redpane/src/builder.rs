//! The builder: what people change, with its defaults.

use std::borrow::Cow;
use std::fmt;
use std::io::Write;
use std::time::Duration;

use http::Method;
use http::request::Parts;
use tracing_subscriber::filter::Targets;

use crate::install::InstallError;
use crate::logs::format::LogFormat;
use crate::logs::losses::OverflowPolicy;
use crate::metrics::dimensions::Declared;
use crate::metrics::otel::MetricNames;
#[cfg(feature = "pane")]
use crate::options::Pane;
use crate::options::{ConfigError, Options};
use crate::request::grpc_method::GrpcMethod;
use crate::request::ids_from::IdsSource;
use crate::request::observer::RequestObserver;
use crate::telemetry::Telemetry;
use crate::trace_context::traceparent::TraceParent;
#[cfg(feature = "otlp")]
use crate::traces::{bad_variable::EnvironmentError, config::Otlp};

/// Instruments an application. Start here.
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

    /// The path of the metrics route, which is added to the instrumented router. Defaults to `/metrics`.
    pub fn metrics_path(mut self, path: impl Into<String>) -> Self {
        self.options.metrics_path = path.into();
        self
    }

    /// Adds no metrics route: serve `Telemetry::metrics_router` on a listener of its own.
    pub fn without_metrics_route(mut self) -> Self {
        self.options.metrics_route = false;
        self
    }

    /// Buckets of `http_request_duration_seconds`, upper bounds in seconds, ascending, without `+Inf`. They are also the
    /// default of the application's own histograms.
    ///
    /// The bundle's rules count the requests of the latency objective by the bound 0.25: without it the objective has no
    /// value, and its alerts never fire.
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
    /// `complete` or `timeout`. They are counted like all others, but left out of `http_requests_in_flight`: a scrape would
    /// see itself there. Their spans are exported only when they fail too, so the services that they call are told that the
    /// trace is not sampled. Adds to the metrics path, `/healthz` and `/readyz`.
    pub fn log_failures_only<R: Into<String>>(mut self, routes: impl IntoIterator<Item = R>) -> Self {
        self.options.log_failures_only.extend(routes.into_iter().map(Into::into));
        self
    }

    /// Routes (templates) whose responses may last for hours: they are counted and logged when their headers are sent, with
    /// the duration until then. What goes on is a stream, with a gauge, a histogram and a line of its own at its end.
    /// Server-sent events (`text/event-stream`), upgrades (101, CONNECT) and [declared](Self::grpc_service) gRPC methods are known
    /// without being named; [`observe_until_end`](Self::observe_until_end) is the opposite.
    pub fn observe_until_headers<R: Into<String>>(mut self, routes: impl IntoIterator<Item = R>) -> Self {
        self.options.until_headers.extend(routes.into_iter().map(Into::into));
        self
    }

    /// Routes (templates, or the method paths of gRPC) whose requests end with their body although it streams by its nature:
    /// server-sent events that are the answer to a question and take seconds, as those of a language model, or a gRPC method that
    /// lists what it has found. They are requests like all others, with their whole duration, their bytes and one line.
    pub fn observe_until_end<R: Into<String>>(mut self, routes: impl IntoIterator<Item = R>) -> Self {
        self.options.until_end.extend(routes.into_iter().map(Into::into));
        self
    }

    /// Declares a gRPC service and its methods. Without this, a method is known from its first answer that is no mere error, and
    /// whether it streams is learned from its answers.
    ///
    /// ```
    /// use redpane::{GrpcMethod, Redpane};
    ///
    /// let redpane = Redpane::new("shop").grpc_service(
    ///     "shop.Orders",
    ///     [GrpcMethod::unary("Take"), GrpcMethod::server_streaming("Watch"), GrpcMethod::client_streaming("Upload")],
    /// );
    /// ```
    ///
    /// * The series of the method exist at zero before the first scrape, in `http_requests_total` and, for all codes, in
    ///   `grpc_server_handled_total`, which has the label `grpc_type` for it. So `rate()` sees the very first failure, and a
    ///   method that only fails has its own route.
    /// * A method that streams is a stream from its first call on, and one that does not is none, however long it takes. Where
    ///   clients stream, the call is a stream from its arrival on, and not from the headers of its answer, which may come after
    ///   hours.
    ///
    /// A second call adds methods, also to the same service.
    pub fn grpc_service(mut self, service: impl Into<String>, methods: impl IntoIterator<Item = GrpcMethod>) -> Self {
        let service = service.into();
        self.options.grpc.extend(methods.into_iter().map(|method| (service.clone(), method)));
        self
    }

    /// Creates the series of a method and route, for all [declared labels](Self::label), at zero before the first scrape, so that `rate()` sees the very first
    /// request and the very first error.
    pub fn preregister(mut self, method: Method, route: impl Into<String>) -> Self {
        self.options.preregistered.push((method, route.into()));
        self
    }

    /// The prefix of a `nest_service`, for which axum gives no route template: requests below it get the label
    /// `route="<prefix>/{*path}"` instead of `unmatched`.
    pub fn nested_service(mut self, prefix: impl Into<String>) -> Self {
        self.options.nested_services.push(prefix.into());
        self
    }

    /// Labels the requests for which neither gRPC nor axum nor a [nested service](Self::nested_service) has a route:
    /// those of a hyper service, for example. `None` is the label `unmatched`.
    ///
    /// The values must be few: each one is a label set of every HTTP metric, bounded by
    /// [`series_limit`](Self::series_limit) only. Never answer with the path itself.
    ///
    /// ```
    /// let redpane = redpane::Redpane::new("proxy").route_label(|parts| {
    ///     parts.uri.path().starts_with("/v1/").then(|| "/v1/{*path}".to_owned())
    /// });
    /// ```
    pub fn route_label(mut self, label: impl Fn(&Parts) -> Option<String> + Send + Sync + 'static) -> Self {
        self.options.label_request = Some(Box::new(label));
        self
    }

    /// Adds a label to the HTTP metrics, whose values are declared: any other value, and `None`, is `_other`. So the label sets
    /// stay few, whatever clients send. `value` looks at the head of each request as it arrives, with the extensions that
    /// layers outside of redpane's have put there. What it finds may be a part of the head or a text of its own.
    ///
    /// ```
    /// let redpane = redpane::Redpane::new("api")
    ///     .label("tier", ["free", "paid"], |parts| Some(parts.headers.get("x-tier")?.to_str().ok()?.into()))
    ///     .label("region", ["eu", "us"], |parts| Some(parts.uri.host()?.get(..2)?.to_ascii_lowercase().into()));
    /// ```
    ///
    /// All combinations of the values of all labels, `_other` included, are 1,000 at most. Each that occurs is a label set of
    /// its own within [`series_limit`](Self::series_limit). Past that the route `_overflow` keeps the label until it has as many
    /// label sets itself.
    pub fn label<V: Into<String>>(
        mut self,
        name: impl Into<String>,
        values: impl IntoIterator<Item = V>,
        value: impl for<'a> Fn(&'a Parts) -> Option<Cow<'a, str>> + Send + Sync + 'static,
    ) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        self.options.labels.push(Declared { name: name.into(), values });
        self.options.label_values.push(Box::new(value));
        self
    }

    /// Whether answers carry `X-Trace-Id` and `X-Request-Id`. Defaults to `true`.
    pub fn response_headers(mut self, add: bool) -> Self {
        self.options.policy.response_headers = add;
        self
    }

    /// Whether the trace context of callers is taken over. Defaults to `true`. With `false`, for a public edge, every
    /// request starts a trace: the caller's trace id is the field `caller_trace_id` of the access line, and its
    /// `tracestate` and `baggage` are not passed on.
    pub fn trust_trace_context(mut self, trust: bool) -> Self {
        self.options.policy.trust_trace_context = trust;
        self
    }

    /// For an application that runs OpenTelemetry's SDK: lines, exemplars and headers take the ids of the SDK's current span,
    /// and redpane makes no spans. `ids` gives them, or `None` where there is no span.
    ///
    /// ```
    /// use opentelemetry::{Context, trace::TraceContextExt};
    /// use redpane::{Redpane, TraceParent};
    ///
    /// fn sdk_ids() -> Option<TraceParent> {
    ///     Context::map_current(|context| {
    ///         let span = context.span();
    ///         let span = span.span_context();
    ///         let trace_id = span.trace_id().to_bytes().try_into().ok()?;
    ///         Some(TraceParent::new(trace_id, span.span_id().to_bytes().try_into().ok()?, span.is_sampled()))
    ///     })
    /// }
    /// let redpane = Redpane::new("api").ids_from(sdk_ids);
    /// ```
    ///
    /// The layer that makes the SDK's span of a request belongs outside of redpane: `instrument(router).layer(..)`. Then
    /// everything of the request has its trace id. A span that is opened inside is found with the first line, header or
    /// `tracing` span of [`log_layer`](Telemetry::log_layer) in it, or when a handler takes its request apart; what was logged before has redpane's own
    /// ids. A request without any has redpane's own, as without this option.
    ///
    /// * The access line, `X-Trace-Id`, exemplars and observers have the first span that was current in the request. What is
    ///   decided when the answer is made stays.
    /// * Lines of events, [`outgoing_headers`](crate::RequestContext::outgoing_headers) and
    ///   [`OutgoingLayer`](crate::client::OutgoingLayer) have the span that is current where they are made, outside of
    ///   requests too. Lines of panics have that of the request.
    /// * The sampled flag is the SDK's. A request that it has not sampled becomes no exemplar.
    /// * Who continues a caller's trace is the SDK's propagator, whatever
    ///   [`trust_trace_context`](Self::trust_trace_context) says.
    ///
    /// `ids` is called for every line, on the thread that logs: it must not block. A panic of it is caught, and the request
    /// has redpane's own ids, or those that it had. With `otlp` too, [`build`](Self::build) returns an error.
    pub fn ids_from(mut self, ids: impl Fn() -> Option<TraceParent> + Send + Sync + 'static) -> Self {
        self.options.ids_from = Some(IdsSource::new(ids));
        self
    }

    /// Makes fields of `tracing` spans fields of the request: on its access line, on its span, and in
    /// [`FinishedRequest::fields`](crate::FinishedRequest::fields). Those that have one of these names, and by default none.
    /// A second call adds names. Needs redpane's layer in the subscriber: [`install`](Self::install), or
    /// [`log_layer`](Telemetry::log_layer).
    ///
    /// ```
    /// let redpane = redpane::Redpane::new("api").promote_span_fields(["tenant", "order.id"]);
    ///
    /// #[tracing::instrument(fields(tenant = tracing::field::Empty))]
    /// async fn order() {
    ///     tracing::Span::current().record("tenant", "acme");
    /// }
    /// ```
    ///
    /// * It is what [`record`](crate::record()) does, with the same bounds and prefixes: where several spans have a field of
    ///   the same name, the value that was given last stays, at the opening of a span or by `Span::record`.
    /// * A span belongs to the request that it was opened in, also in a task that was
    ///   [spawned](crate::spawn()) with the request's ids, or that is instrumented with a span of the request.
    /// * A span from outside, such as one that a layer around redpane's opens, gives its fields to the requests that run in it.
    ///   Of several the innermost counts, and what was recorded inside the request comes before it.
    /// * Where spans are exported, these fields are attributes of the request's span, and leave the process with it.
    /// * A span with such a field is seen whatever the [log filter](Self::log_filter) says. The macros of levels that the
    ///   filter leaves out then cost a few instructions more.
    pub fn promote_span_fields<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.options.promoted.extend(names.into_iter().map(Into::into));
        self
    }

    /// Whether a panic of the application becomes an answer with status 500, or a broken body where the headers are sent
    /// already. Defaults to `true`. With `false` the panic goes on after it was counted and logged.
    pub fn catch_panics(mut self, catch: bool) -> Self {
        self.options.policy.catch_panics = catch;
        self
    }

    /// Exports a span for every request, named `{method} {route}`, with the ids of its line and its recorded fields. The
    /// resource's `service.name` is the telemetry's app.
    #[cfg(feature = "otlp")]
    pub fn otlp(mut self, otlp: Otlp) -> Self {
        self.options.otlp = Some(otlp);
        self
    }

    /// Exports spans as the variables of OpenTelemetry's specification say (`OTEL_EXPORTER_OTLP_ENDPOINT` and others), or not
    /// at all where they name no endpoint. In both cases `OTEL_SERVICE_NAME`, or `service.name` in `OTEL_RESOURCE_ATTRIBUTES`,
    /// replaces the app that the builder was made with, in lines and in spans: the service has one name.
    ///
    /// # Errors
    /// One error that names every bad variable.
    #[cfg(feature = "otlp")]
    pub fn otlp_from_env(mut self) -> Result<Self, EnvironmentError> {
        if let Some(name) = Otlp::service_name_from_env() {
            self.options.app = name;
        }
        if let Some(otlp) = Otlp::from_env()? {
            self = self.otlp(otlp);
        }
        Ok(self)
    }

    /// Keeps the history of the last 24 hours in memory (at most 48 MiB) and shows it on a page of the process's own, at
    /// `http://127.0.0.1:8001/` or a free port of that address where this one is taken. A log line says where. Only this
    /// machine reaches it; [`pane_history`](Self::pane_history) is for others.
    #[cfg(feature = "pane")]
    pub fn pane(mut self) -> Self {
        self.options.pane = Pane::HistoryAndListener;
        self
    }

    /// Keeps the history that [`pane`](Self::pane) shows, and opens no address: for
    /// [`Telemetry::pane_router`](crate::Telemetry::pane_router) behind the application's own login, and for
    /// [`Telemetry::serve_pane`](crate::Telemetry::serve_pane).
    #[cfg(feature = "pane")]
    pub fn pane_history(mut self) -> Self {
        self.options.pane = self.options.pane.max(Pane::History);
        self
    }

    /// A metric of the application that the pane shows without being asked, by its name in `/metrics`: a counter as its rate,
    /// a gauge, or a histogram as p50, p95 and p99.
    #[cfg(feature = "pane")]
    pub fn pane_chart(mut self, name: impl Into<String>) -> Self {
        self.options.pane_charts.push(name.into());
        self
    }

    /// Adds an observer, which is called at the end of every request and of every stream.
    pub fn observer(mut self, observer: impl RequestObserver) -> Self {
        self.options.observers.push(Box::new(observer));
        self
    }

    /// The most label sets (method, route, status) of the HTTP metrics. Past it, new ones are counted under the route
    /// `_overflow`. Defaults to 10,000; at least 1.
    pub fn series_limit(mut self, label_sets: usize) -> Self {
        self.options.series_limit = label_sets;
        self
    }

    /// Which names the HTTP metrics have: redpane's own, those of OpenTelemetry's HTTP conventions, or both. Defaults to
    /// [`MetricNames::Redpane`].
    pub fn metric_names(mut self, names: MetricNames) -> Self {
        self.options.names = names;
        self.options.policy.counts_schemes = names.has_otel();
        self
    }

    /// Which lines are written, by target and level. Defaults to `info`. [`Telemetry::set_log_filter`](crate::Telemetry::set_log_filter) sets another one for a
    /// while; [`parse_log_filter`](crate::parse_log_filter) reads one as people write it.
    ///
    /// Access lines are no `tracing` events, and still obey it: their target is `redpane::access` and their level `INFO`,
    /// `WARN` (4xx, aborted) or `ERROR` (5xx, panic, error, broken body). A filter of another layer, such as an `EnvFilter`
    /// that is reloaded, does not change them.
    pub fn log_filter(mut self, directives: Targets) -> Self {
        self.options.filter = directives;
        self
    }

    /// How lines look. Defaults to JSON.
    pub fn log_format(mut self, format: LogFormat) -> Self {
        self.options.format = format;
        self
    }

    /// Where lines go, written by a thread of its own, many lines at once. Defaults to standard output.
    pub fn log_writer(mut self, writer: impl Write + Send + 'static) -> Self {
        self.options.writer = Box::new(writer);
        self
    }

    /// The most bytes of log lines waiting in memory for a slow writer. Defaults to 16 MiB; at least 64 KiB.
    pub fn log_buffer_bytes(mut self, bytes: usize) -> Self {
        self.options.buffer_bytes = bytes;
        self
    }

    /// What happens to a line that finds the buffer full. Defaults to [`OverflowPolicy::Drop`].
    pub fn log_overflow(mut self, policy: OverflowPolicy) -> Self {
        self.options.overflow = policy;
        self
    }

    /// The share of access lines that are kept of requests that end well and fast, from 0 to 1. Defaults to 1: all of them.
    ///
    /// With 0.1 the lines of one trace id in ten are kept, and of the same ones in every service that asks for the same
    /// share. They say `"sample_rate":0.1`. Lines of level `WARN` and `ERROR`, of timeouts and of
    /// [slow](Self::access_slow) requests are always kept, and metrics stay exact: what is left out is counted in
    /// `log_lines_sampled_out_total`. A request whose line is left out is no exemplar, unless there are spans. Lines of streams
    /// follow the same rule, and are counted in `log_stream_lines_sampled_out_total`.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let redpane = redpane::Redpane::new("api").access_sample(0.1).access_slow(Duration::from_millis(500));
    /// ```
    pub fn access_sample(mut self, share: f64) -> Self {
        self.options.access_sample = share;
        self
    }

    /// Requests that take this long or longer keep their access line, whatever [`access_sample`](Self::access_sample) says.
    /// Defaults to one second.
    pub fn access_slow(mut self, duration: Duration) -> Self {
        self.options.access_slow = duration;
        self
    }

    /// The labels of `redpane_build_info`. Defaults to redpane's version and `unknown`.
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
        let checked = self.options.check()?;
        Telemetry::start(self.options, checked).map_err(ConfigError::no_thread)
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

    /// [`install`](Self::install), or the telemetry of the same app that this process has installed already. For tests and
    /// plugins, which may come first or not. The options of a later call are not used.
    ///
    /// # Errors
    /// As [`install`](Self::install), and if the telemetry of another app is installed.
    pub fn try_install(self) -> Result<Telemetry, InstallError> {
        let app = self.options.app.clone();
        Telemetry::installed_or(&app, || self.build().map_err(InstallError::Config))
    }
}
