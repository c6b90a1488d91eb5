//! The options behind the builder: defaults, and what makes them bad.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use metrics_exporter_prometheus::formatting::sanitize_metric_name;
use tracing_subscriber::filter::{LevelFilter, Targets};

use crate::logs::format::LogFormat;
use crate::logs::line::MAX_LINE;
use crate::logs::losses::OverflowPolicy;
use crate::logs::sampling::AccessSampling;
use crate::metrics::dimensions::{self, Declared};
use crate::metrics::histogram::{Bounds, Scale};
use crate::metrics::otel::{self, MetricNames, OTEL_BUCKETS};
use crate::metrics::streams::STREAM_BUCKETS;
use crate::middleware::declared_label::FindValue;
use crate::middleware::pipeline::Policy;
use crate::middleware::route_label::{LabelRequest, is_grpc_path};
use crate::request::grpc_method::GrpcMethod;
use crate::request::ids_from::IdsSource;
use crate::request::observer::RequestObserver;
use crate::trace_context::share::Share;
#[cfg(feature = "otlp")]
use crate::traces::config::Otlp;

/// Upper bounds of the duration buckets, in seconds. Handlers that ask nobody answer in microseconds: without the first
/// three, all of their quantiles are guesses between 0 and 1 ms.
const DURATION_BUCKETS: [f64; 16] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Upper bounds of the size buckets, in bytes.
const SIZE_BUCKETS: [f64; 9] = [64.0, 256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262_144.0, 1_048_576.0, 16_777_216.0];
const SERIES_LIMIT: usize = 10_000;
/// Requests that take this long keep their line.
const ACCESS_SLOW: Duration = Duration::from_secs(1);
const LOG_BUFFER_BYTES: usize = 16 * 1024 * 1024;

#[cfg(feature = "otlp")]
const TWO_TRACERS: &str = "the spans of a request are the SDK's then, and `otlp` would export others with the same ids; leave out `otlp` \
     where the SDK has an exporter, or `ids_from` where redpane shall make the spans";

/// What [`Redpane`](crate::Redpane) collects.
pub(crate) struct Options {
    pub(crate) app: String,
    pub(crate) metrics_path: String,
    /// Whether the instrumented router gets the metrics route.
    pub(crate) metrics_route: bool,
    pub(crate) duration_buckets: Vec<f64>,
    pub(crate) histogram_buckets: Vec<(String, Vec<f64>)>,
    pub(crate) log_failures_only: HashSet<String>,
    pub(crate) until_headers: HashSet<String>,
    pub(crate) until_end: HashSet<String>,
    pub(crate) preregistered: Vec<(Method, String)>,
    /// Methods of gRPC, each with its service.
    pub(crate) grpc: Vec<(String, GrpcMethod)>,
    pub(crate) nested_services: Vec<String>,
    pub(crate) label_request: Option<LabelRequest>,
    pub(crate) labels: Vec<Declared>,
    /// How the values of `labels` are found, in the same order.
    pub(crate) label_values: Vec<FindValue>,
    pub(crate) series_limit: usize,
    pub(crate) names: MetricNames,
    pub(crate) filter: Targets,
    pub(crate) format: LogFormat,
    pub(crate) writer: Box<dyn Write + Send>,
    pub(crate) buffer_bytes: usize,
    pub(crate) overflow: OverflowPolicy,
    /// The share of lines that are kept of requests that end well.
    pub(crate) access_sample: f64,
    pub(crate) access_slow: Duration,
    pub(crate) policy: Policy,
    pub(crate) ids_from: Option<IdsSource>,
    /// Names of span fields.
    pub(crate) promoted: Vec<String>,
    pub(crate) observers: Vec<Box<dyn RequestObserver>>,
    #[cfg(feature = "otlp")]
    pub(crate) otlp: Option<Otlp>,
    /// Whether a history is kept for the pane, and whether it is served on a listener of its own.
    #[cfg(feature = "pane")]
    pub(crate) pane: Pane,
    /// Metrics that the pane shows first.
    #[cfg(feature = "pane")]
    pub(crate) pane_charts: Vec<String>,
    pub(crate) version: String,
    pub(crate) revision: String,
}

/// What is wanted of the pane.
#[cfg(feature = "pane")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pane {
    #[default]
    Nothing,
    History,
    HistoryAndListener,
}

/// What was made of options that passed their checks.
pub(crate) struct Checked {
    pub(crate) durations: Arc<Bounds>,
    /// Those that requests are counted in: finer where OpenTelemetry's names are shown too.
    pub(crate) counted: Arc<Bounds>,
    pub(crate) otel: Arc<Bounds>,
    pub(crate) sizes: Arc<Bounds>,
    pub(crate) streams: Arc<Bounds>,
    /// For the application's histograms that have no bounds of their own.
    pub(crate) default_bounds: Arc<Bounds>,
    /// By the name as it is shown.
    pub(crate) histograms: HashMap<String, Arc<Bounds>>,
    pub(crate) sampling: Option<AccessSampling>,
}

/// An option of [`Redpane`](crate::Redpane) that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BadOption {
    /// The builder's method.
    pub option: &'static str,
    /// What was given to it.
    pub value: String,
    /// What is wrong with that, and what would be right.
    pub problem: String,
}

impl fmt::Display for BadOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({}): {}", self.option, self.value, self.problem)
    }
}

/// Why a [`Redpane`](crate::Redpane) cannot be built: every bad option, or the system.
#[derive(Debug)]
pub struct ConfigError {
    problems: Vec<BadOption>,
    thread: Option<io::Error>,
}

impl ConfigError {
    /// Every bad option; none where the system refused a thread, which is the source then.
    #[must_use]
    pub fn problems(&self) -> &[BadOption] {
        &self.problems
    }

    /// A thread did not start.
    pub(crate) fn no_thread(error: io::Error) -> Self {
        Self { problems: Vec::new(), thread: Some(error) }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problems: Vec<String> = self.problems.iter().map(BadOption::to_string).collect();
        f.write_str(&problems.join("; "))?;
        if self.thread.is_some() {
            f.write_str("a thread of redpane's own did not start")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.thread.as_ref().map(|error| error as _)
    }
}

impl Options {
    pub(crate) fn new(app: String) -> Self {
        Self {
            app,
            metrics_path: "/metrics".into(),
            metrics_route: true,
            duration_buckets: DURATION_BUCKETS.into(),
            histogram_buckets: Vec::new(),
            log_failures_only: ["/metrics", "/healthz", "/readyz"].map(String::from).into(),
            until_headers: HashSet::new(),
            until_end: HashSet::new(),
            preregistered: Vec::new(),
            grpc: Vec::new(),
            nested_services: Vec::new(),
            label_request: None,
            labels: Vec::new(),
            label_values: Vec::new(),
            series_limit: SERIES_LIMIT,
            names: MetricNames::Redpane,
            filter: Targets::new().with_default(LevelFilter::INFO),
            format: LogFormat::Json,
            writer: Box::new(io::stdout()),
            buffer_bytes: LOG_BUFFER_BYTES,
            overflow: OverflowPolicy::Drop,
            access_sample: 1.0,
            access_slow: ACCESS_SLOW,
            policy: Policy {
                response_headers: true,
                trust_trace_context: true,
                catch_panics: true,
                counts_schemes: false,
            },
            ids_from: None,
            promoted: Vec::new(),
            observers: Vec::new(),
            #[cfg(feature = "otlp")]
            otlp: None,
            #[cfg(feature = "pane")]
            pane: Pane::Nothing,
            #[cfg(feature = "pane")]
            pane_charts: Vec::new(),
            version: env!("CARGO_PKG_VERSION").into(),
            revision: "unknown".into(),
        }
    }

    /// Finds everything that is wrong, not only the first.
    pub(crate) fn check(&self) -> Result<Checked, ConfigError> {
        let mut problems = Vec::new();
        let mut check = |is_right: bool, option, value: String, problem: &str| {
            if !is_right {
                problems.push(BadOption { option, value, problem: problem.into() });
            }
        };
        let path = &self.metrics_path;
        check(
            is_plain_path(path),
            "metrics_path",
            format!("{path:?}"),
            "a plain path starts with a slash, as in \"/metrics\"",
        );
        for prefix in &self.nested_services {
            let problem = "a plain path starts with a slash, as in \"/assets\"";
            check(is_plain_path(prefix), "nested_service", format!("{prefix:?}"), problem);
        }
        let (bytes, longest) =
            (self.buffer_bytes, format!("too small; {MAX_LINE} bytes or more, the longest line, are right"));
        check(bytes >= MAX_LINE, "log_buffer_bytes", bytes.to_string(), &longest);
        let limit = self.series_limit;
        check(limit > 0, "series_limit", limit.to_string(), "leaves no room to count in; 1 or more is right");
        let share = Share::new(self.access_sample);
        check(
            share.is_some(),
            "access_sample",
            self.access_sample.to_string(),
            "a share from 0 to 1 is right, as in 0.1",
        );
        let mut bounds = |option, value: String, upper: &[f64], scale| {
            Bounds::new(upper, scale).map_err(|problem| problems.push(BadOption { option, value, problem })).ok()
        };
        let buckets = |upper: &[f64]| format!("{upper:?}");
        let (seconds, sizes) = (&self.duration_buckets, &SIZE_BUCKETS);
        let durations = bounds("duration_buckets", buckets(seconds), seconds, Scale::Nanoseconds);
        let otel = bounds("otel_buckets", String::new(), &OTEL_BUCKETS, Scale::Nanoseconds);
        let finer = match self.names.has_otel() {
            true => otel::union(seconds, &OTEL_BUCKETS),
            false => seconds.clone(),
        };
        // Wrong only where the bounds above are.
        let counted = durations.as_ref().and_then(|_| Bounds::new(&finer, Scale::Nanoseconds).ok());
        let sizes = bounds("size_buckets", buckets(sizes), sizes, Scale::Whole);
        let streams = bounds("stream_buckets", String::new(), &STREAM_BUCKETS, Scale::Nanoseconds);
        let mut histograms = HashMap::new();
        for (name, upper) in &self.histogram_buckets {
            let value = format!("{name:?}, {upper:?}");
            if let Some(own) = bounds("histogram_buckets", value, upper, Scale::Float) {
                histograms.insert(sanitize_metric_name(name), own);
            }
        }
        for route in self.until_end.intersection(&self.until_headers) {
            let problem = "the route is in observe_until_headers too; one of both is right".into();
            problems.push(BadOption { option: "observe_until_end", value: format!("{route:?}"), problem });
        }
        for (at, (service, method)) in self.grpc.iter().enumerate() {
            let is_name = |name: &str| is_grpc_path(&format!("/{name}/{name}"));
            let is_same = |(other, known): &(String, GrpcMethod)| other == service && known.name == method.name;
            let problem = if !is_name(service) || !is_grpc_path(&format!("/{service}/{}", method.name)) {
                "names as in the path of a call are right, at most 256 bytes together, as in \"shop.Orders\" and \"Take\""
            } else if self.grpc[..at].iter().any(is_same) {
                "this method is declared already"
            } else {
                continue;
            };
            let value = format!("{service:?}, {:?}", method.name);
            problems.push(BadOption { option: "grpc_service", value, problem: problem.into() });
        }
        let found = dimensions::problems(&self.labels).into_iter();
        problems.extend(found.map(|(value, problem)| BadOption { option: "label", value, problem }));
        #[cfg(feature = "otlp")]
        let otlp = self.otlp.as_ref().filter(|otlp| !otlp.is_off);
        #[cfg(feature = "otlp")]
        if let Some(Err(found)) = otlp.map(Otlp::check) {
            problems.extend(found.into_iter().map(|(value, problem)| BadOption { option: "otlp", value, problem }));
        }
        #[cfg(feature = "otlp")]
        if self.ids_from.is_some() && otlp.is_some() {
            problems.push(BadOption { option: "ids_from", value: "..".into(), problem: TWO_TRACERS.into() });
        }
        match (problems.is_empty(), durations.zip(counted), sizes, streams.zip(otel), share) {
            (true, Some((durations, counted)), Some(sizes), Some((streams, otel)), Some(share)) => Ok(Checked {
                default_bounds: durations.as_float(),
                durations,
                counted,
                otel,
                sizes,
                streams,
                histograms,
                sampling: AccessSampling::new(share, self.access_slow),
            }),
            _ => Err(ConfigError { problems, thread: None }),
        }
    }
}

/// A path that a request can have, and that axum takes for a route without parameters.
fn is_plain_path(path: &str) -> bool {
    let visible = path.bytes().all(|byte| byte.is_ascii_graphic() && !b"{}?#".contains(&byte));
    path.len() > 1 && path.starts_with('/') && visible && !path.contains("/:") && !path.contains("/*")
}
