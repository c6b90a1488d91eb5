//! The options behind the builder: defaults, and what makes them bad.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use http::Method;
use metrics_exporter_prometheus::formatting::sanitize_metric_name;
use tracing_subscriber::filter::{LevelFilter, Targets};

use crate::logs::line::MAX_LINE;
use crate::logs::{LogFormat, WhenFull};
use crate::metrics::histogram::{Bounds, Scale};

/// Upper bounds of the duration buckets, in seconds.
const DURATION_BUCKETS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Upper bounds of the size buckets, in bytes.
const SIZE_BUCKETS: [f64; 9] = [64.0, 256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262_144.0, 1_048_576.0, 16_777_216.0];
const SERIES_LIMIT: usize = 10_000;
const LOG_BUFFER_BYTES: usize = 16 * 1024 * 1024;

/// What [`Redpane`](crate::Redpane) collects.
pub(crate) struct Options {
    pub(crate) app: String,
    pub(crate) metrics_path: String,
    /// Whether the instrumented router gets the metrics route.
    pub(crate) metrics_route: bool,
    pub(crate) duration_buckets: Vec<f64>,
    pub(crate) histogram_buckets: Vec<(String, Vec<f64>)>,
    pub(crate) quiet: HashSet<String>,
    pub(crate) streaming: HashSet<String>,
    pub(crate) announced: Vec<(Method, String)>,
    pub(crate) mounted: Vec<String>,
    pub(crate) series_limit: usize,
    pub(crate) filter: Targets,
    pub(crate) format: LogFormat,
    pub(crate) writer: Box<dyn Write + Send>,
    pub(crate) buffer_bytes: usize,
    pub(crate) when_full: WhenFull,
    pub(crate) version: String,
    pub(crate) revision: String,
}

/// Bucket bounds that passed their checks.
pub(crate) struct CheckedBounds {
    pub(crate) durations: Arc<Bounds>,
    pub(crate) sizes: Arc<Bounds>,
    /// For the application's histograms that have no bounds of their own.
    pub(crate) default_bounds: Arc<Bounds>,
    /// By the name as it is shown.
    pub(crate) histograms: HashMap<String, Arc<Bounds>>,
}

/// Everything that is wrong with the options of a [`Redpane`](crate::Redpane), each with what would be right.
#[derive(Debug)]
pub struct ConfigError(Vec<String>);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

impl std::error::Error for ConfigError {}

impl ConfigError {
    pub(crate) fn one(what: String) -> Self {
        Self(vec![what])
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
            quiet: ["/metrics", "/healthz", "/readyz"].map(String::from).into(),
            streaming: HashSet::new(),
            announced: Vec::new(),
            mounted: Vec::new(),
            series_limit: SERIES_LIMIT,
            filter: Targets::new().with_default(LevelFilter::INFO),
            format: LogFormat::Json,
            writer: Box::new(io::stdout()),
            buffer_bytes: LOG_BUFFER_BYTES,
            when_full: WhenFull::Drop,
            version: env!("CARGO_PKG_VERSION").into(),
            revision: "unknown".into(),
        }
    }

    /// Finds everything that is wrong, not only the first.
    pub(crate) fn check(&self) -> Result<CheckedBounds, ConfigError> {
        let mut wrong = Vec::new();
        if !is_plain_path(&self.metrics_path) {
            let path = &self.metrics_path;
            wrong
                .push(format!("metrics path {path:?} is not a plain path; it starts with a slash, as in \"/metrics\""));
        }
        for prefix in self.mounted.iter().filter(|prefix| !is_plain_path(prefix)) {
            wrong.push(format!(
                "mounted prefix {prefix:?} is not a plain path; it starts with a slash, as in \"/assets\""
            ));
        }
        if self.buffer_bytes < MAX_LINE {
            wrong.push(format!(
                "log buffer of {} bytes is too small; give it {MAX_LINE} or more, the longest line",
                self.buffer_bytes
            ));
        }
        if self.series_limit == 0 {
            wrong.push("series limit 0 leaves no room to count in; give it 1 or more".into());
        }
        let mut bounds = |what: &str, upper: &[f64], scale| {
            Bounds::new(upper, scale).map_err(|error| wrong.push(format!("{what}: {error}"))).ok()
        };
        let durations = bounds("duration buckets", &self.duration_buckets, Scale::Nanoseconds);
        let default_bounds = bounds("duration buckets", &self.duration_buckets, Scale::Float);
        let sizes = bounds("size buckets", &SIZE_BUCKETS, Scale::Whole);
        let mut histograms = HashMap::new();
        for (name, upper) in &self.histogram_buckets {
            if let Some(own) = bounds(&format!("buckets of the histogram {name:?}"), upper, Scale::Float) {
                histograms.insert(sanitize_metric_name(name), own);
            }
        }
        wrong.dedup();
        let (true, Some(durations), Some(sizes), Some(default_bounds)) =
            (wrong.is_empty(), durations, sizes, default_bounds)
        else {
            return Err(ConfigError(wrong));
        };
        Ok(CheckedBounds { durations, sizes, default_bounds, histograms })
    }
}

/// A path that a request can have, and that axum takes for a route without parameters.
fn is_plain_path(path: &str) -> bool {
    let visible = path.bytes().all(|byte| byte.is_ascii_graphic() && !b"{}?#".contains(&byte));
    path.len() > 1 && path.starts_with('/') && visible && !path.contains("/:") && !path.contains("/*")
}
