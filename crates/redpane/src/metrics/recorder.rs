//! What the application emits through the `metrics` macros.
//!
//! Counters and gauges are kept by `metrics-exporter-prometheus`; histograms are our own, since the exporter's queue every
//! sample. Before a key reaches either it is made what it will be shown as: valid names, sorted labels. Two keys that
//! look the same in `/metrics` are then one series and not a duplicate, which a scraper would refuse.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use metrics::{Counter, Gauge, Key, KeyName, Label, Metadata, SharedString, Unit};
use metrics_exporter_prometheus::formatting::{sanitize_label_key, sanitize_metric_name};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use super::exposition::{OWN_FAMILIES, label};
use super::histogram::{Bounds, Histogram};

/// Collects what plain `metrics::counter!`, `gauge!` and `histogram!` emit. A cheap handle: clones share everything.
///
/// Inside an instrumented request it is the current recorder by itself. For code outside of requests, install it
/// ([`Telemetry::install`](crate::Telemetry::install)), or pass it to [`metrics::with_local_recorder`].
#[derive(Clone)]
pub struct Recorder(Arc<Inner>);

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}

struct Inner {
    exporter: PrometheusRecorder,
    handle: PrometheusHandle,
    default_bounds: Arc<Bounds>,
    bounds: HashMap<String, Arc<Bounds>>,
    counters: Handles<Counter>,
    gauges: Handles<Gauge>,
    histograms: Handles<metrics::Histogram>,
    families: Mutex<Families>,
}

/// Handles by the key as the macro gave it: the way there is looked up once a key.
type Handles<T> = RwLock<HashMap<Key, T>>;

#[derive(Default)]
struct Families {
    kinds: HashMap<String, Kind>,
    refused: HashSet<String>,
    /// By name, then by label text.
    histograms: HashMap<String, HashMap<String, Arc<Histogram>>>,
    help: HashMap<String, SharedString>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// One histogram of the application, as the exposition needs it.
pub(super) struct HistogramFamily {
    pub(super) name: String,
    pub(super) help: Option<SharedString>,
    /// Label text and histogram, sorted by the text.
    pub(super) series: Vec<(String, Arc<Histogram>)>,
}

impl Recorder {
    /// `bounds` maps the name of a histogram, as it is shown, to its own buckets.
    pub(crate) fn new(default_bounds: Arc<Bounds>, bounds: HashMap<String, Arc<Bounds>>) -> Self {
        let exporter = PrometheusBuilder::new().build_recorder();
        let handle = exporter.handle();
        Self(Arc::new(Inner {
            exporter,
            handle,
            default_bounds,
            bounds,
            counters: Handles::default(),
            gauges: Handles::default(),
            histograms: Handles::default(),
            families: Mutex::default(),
        }))
    }

    /// Counters and gauges in the text format 0.0.4, written by the exporter.
    pub(super) fn render_counters_and_gauges(&self) -> String {
        self.0.handle.render()
    }

    /// The application's histograms, sorted by name.
    pub(super) fn histograms(&self) -> Vec<HistogramFamily> {
        let families = self.families();
        let mut shown: Vec<_> = families
            .histograms
            .iter()
            .map(|(name, series)| {
                let mut series: Vec<_> = series.iter().map(|(text, one)| (text.clone(), Arc::clone(one))).collect();
                series.sort_by(|one, other| one.0.cmp(&other.0));
                HistogramFamily { name: name.clone(), help: families.help.get(name).cloned(), series }
            })
            .collect();
        shown.sort_by(|one, other| one.name.cmp(&other.name));
        shown
    }

    fn families(&self) -> std::sync::MutexGuard<'_, Families> {
        self.0.families.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a name may be used for this kind of metric. The first use decides; another kind, or a name that redpane
    /// or a histogram's own series have, would make two families of one name, which no scraper accepts.
    fn admit(&self, name: &str, kind: Kind) -> bool {
        let taken = {
            let mut families = self.families();
            let taken = families.conflict(name, kind);
            match taken {
                None => {
                    families.kinds.insert(name.to_owned(), kind);
                    return true;
                }
                Some(_) if !families.refused.insert(name.to_owned()) => return false,
                Some(taken) => taken,
            }
        };
        tracing::warn!(target: "redpane::metrics", name, kind = ?kind,
            "metric refused: its name is taken by {taken}; give it another name");
        false
    }

    fn histogram(&self, key: &Key) -> metrics::Histogram {
        if !self.admit(key.name(), Kind::Histogram) {
            return metrics::Histogram::noop();
        }
        let mut labels = String::new();
        key.labels().for_each(|one| label(&mut labels, one.key(), one.value()));
        let bounds = self.0.bounds.get(key.name()).unwrap_or(&self.0.default_bounds);
        let mut families = self.families();
        let series = families.histograms.entry(key.name().to_owned()).or_default();
        let histogram = series.entry(labels).or_insert_with(|| Arc::new(Histogram::new(Arc::clone(bounds))));
        metrics::Histogram::from_arc(Arc::clone(histogram))
    }
}

impl Families {
    fn conflict(&self, name: &str, kind: Kind) -> Option<String> {
        const SUFFIXES: [&str; 3] = ["_bucket", "_sum", "_count"];
        match self.kinds.get(name) {
            Some(known) if *known == kind => return None,
            Some(other) => return Some(format!("a {other:?} of the application")),
            None => {}
        }
        let base = SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix));
        let own = |name: &str| OWN_FAMILIES.iter().any(|family| family.name == name);
        // OpenMetrics names the family of a counter without its `_total`.
        if own(name) || own(&format!("{name}_total")) || base.is_some_and(own) {
            return Some("redpane itself".into());
        }
        if base.is_some_and(|base| self.kinds.get(base) == Some(&Kind::Histogram)) {
            return Some("a series of a histogram of the application".into());
        }
        let covers = |suffix: &&str| self.kinds.contains_key(&format!("{name}{suffix}"));
        let covered = SUFFIXES.iter().find(|suffix| kind == Kind::Histogram && covers(suffix));
        covered.map(|suffix| format!("the application's {name}{suffix}, which this histogram would need"))
    }
}

/// For the exporter, which reads a doubled backslash as one that is escaped already: so they come doubled.
fn doubled(text: &str) -> String {
    text.replace('\\', "\\\\")
}

/// The name as it will be shown. The exporter's function leaves an empty name empty, which no scraper accepts.
fn metric_name(given: &str) -> String {
    if given.is_empty() { "_".into() } else { sanitize_metric_name(given) }
}

/// The key as it will be shown: valid names, labels sorted by name, each name once (the last one given counts). Histograms
/// need `le` for themselves, and a scraper refuses everything that comes with a label `__name__`: two underscores in front
/// are Prometheus' own. Such labels get the prefix that Prometheus gives to labels in its way.
fn shown(key: &Key, kind: Kind) -> Key {
    let mut labels: Vec<(String, Cow<'_, str>)> = Vec::new();
    for given in key.labels() {
        let mut name = if given.key().is_empty() { "_".into() } else { sanitize_label_key(given.key()) };
        if name.starts_with("__") || (kind == Kind::Histogram && name == "le") {
            name.insert_str(0, "exported_");
        }
        let value = match kind {
            Kind::Histogram => Cow::Borrowed(given.value()),
            Kind::Counter | Kind::Gauge => Cow::Owned(doubled(given.value())),
        };
        labels.retain(|(earlier, _)| *earlier != name);
        labels.push((name, value));
    }
    labels.sort();
    let labels: Vec<_> = labels.into_iter().map(|(name, value)| Label::new(name, value.into_owned())).collect();
    Key::from_parts(metric_name(key.name()), labels)
}

fn find_or_make<T: Clone>(handles: &Handles<T>, key: &Key, make: impl FnOnce() -> T) -> T {
    if let Some(handle) = handles.read().unwrap_or_else(PoisonError::into_inner).get(key) {
        return handle.clone();
    }
    let handle = make();
    let mut handles = handles.write().unwrap_or_else(PoisonError::into_inner);
    handles.entry(key.to_retained()).or_insert(handle).clone()
}

impl metrics::Recorder for Recorder {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.0.exporter.describe_counter(name, unit, doubled(&help).into());
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.0.exporter.describe_gauge(name, unit, doubled(&help).into());
    }

    fn describe_histogram(&self, name: KeyName, _: Option<Unit>, help: SharedString) {
        self.families().help.entry(metric_name(name.as_str())).or_insert(help);
    }

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        find_or_make(&self.0.counters, key, || {
            let key = shown(key, Kind::Counter);
            let admitted = self.admit(key.name(), Kind::Counter);
            if admitted { self.0.exporter.register_counter(&key, metadata) } else { Counter::noop() }
        })
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        find_or_make(&self.0.gauges, key, || {
            let key = shown(key, Kind::Gauge);
            let admitted = self.admit(key.name(), Kind::Gauge);
            if admitted { self.0.exporter.register_gauge(&key, metadata) } else { Gauge::noop() }
        })
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> metrics::Histogram {
        find_or_make(&self.0.histograms, key, || self.histogram(&shown(key, Kind::Histogram)))
    }
}
