//! What the application emits through the `metrics` macros.
//!
//! Counters and gauges are kept by `metrics-exporter-prometheus`; histograms are our own, since the exporter's queue every
//! sample. Before a key reaches either it gets the form that it is shown in: valid names, sorted labels. Two keys that
//! look the same in `/metrics` are then one series and not a duplicate, which a scraper would refuse.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use metrics::{Counter, Gauge, Key, KeyName, Metadata, SharedString, Unit};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use super::exporter_text;
use super::histogram::{Bounds, Histogram};
use super::label_text::push_label;
use super::names::{Check, Names};
use super::shown_key::{escape_backslashes, metric_name, shown_key};
use super::snapshot::{Family, HistogramSnapshot, Kind, SeriesSnapshot, Value};

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
    names: Names,
    /// By name, then by label text.
    histograms: HashMap<String, HashMap<Arc<str>, Arc<Histogram>>>,
    help: HashMap<String, SharedString>,
    units: HashMap<String, Unit>,
}

impl Families {
    fn describe_unit(&mut self, name: &KeyName, unit: Option<Unit>) {
        if let Some(unit) = unit {
            self.units.entry(metric_name(name.as_str())).or_insert(unit);
        }
    }

    fn unit(&self, name: &str) -> Option<&'static str> {
        self.units.get(name).or_else(|| self.units.get(name.strip_suffix("_total")?)).map(Unit::as_str)
    }
}

impl Recorder {
    /// `bounds` maps the name of a histogram, as it is shown, to its own buckets.
    /// `otel` says that OpenTelemetry's names are redpane's own.
    pub(crate) fn new(default_bounds: Arc<Bounds>, bounds: HashMap<String, Arc<Bounds>>, otel: bool) -> Self {
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
            families: Mutex::new(Families { names: Names::new(otel), ..Families::default() }),
        }))
    }

    /// The application's histograms, then its counters and gauges, both sorted by name.
    pub(super) fn snapshot(&self) -> Vec<Family> {
        let rendered = self.0.handle.render();
        let families = self.lock();
        let mut snapshot: Vec<_> = families
            .histograms
            .iter()
            .map(|(name, series)| Family {
                name: name.clone().into(),
                kind: Kind::Histogram,
                help: families.help.get(name).map(|help| help.to_string()).unwrap_or_default().into(),
                unit: families.unit(name),
                series: read_series(series),
            })
            .collect();
        snapshot.sort_by(|one, other| one.name.cmp(&other.name));
        snapshot.extend(exporter_text::read(&rendered, |name| families.unit(name)));
        snapshot
    }

    fn lock(&self) -> MutexGuard<'_, Families> {
        self.0.families.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a name may be used for this kind of metric. A refused name is told once.
    fn check_name(&self, name: &str, kind: Kind) -> bool {
        let check = self.lock().names.check(name, kind);
        if let Check::Taken(Some(taken)) = &check {
            tracing::warn!(target: "redpane::metrics", name, kind = kind.as_str(),
                "metric refused: its name is taken by {taken}; give it another name");
        }
        matches!(check, Check::Free)
    }

    fn histogram(&self, key: &Key) -> metrics::Histogram {
        if !self.check_name(key.name(), Kind::Histogram) {
            return metrics::Histogram::noop();
        }
        let mut labels = String::new();
        key.labels().for_each(|label| push_label(&mut labels, label.key(), label.value()));
        let bounds = self.0.bounds.get(key.name()).unwrap_or(&self.0.default_bounds);
        let mut families = self.lock();
        let series = families.histograms.entry(key.name().to_owned()).or_default();
        let histogram = series.entry(labels.into()).or_insert_with(|| Arc::new(Histogram::new(Arc::clone(bounds))));
        metrics::Histogram::from_arc(Arc::clone(histogram))
    }
}

/// Sorted by label text.
fn read_series(series: &HashMap<Arc<str>, Arc<Histogram>>) -> Vec<SeriesSnapshot> {
    let mut series: Vec<_> = series.iter().collect();
    series.sort_by(|one, other| one.0.cmp(other.0));
    let read = |(labels, histogram): (&Arc<str>, &Arc<Histogram>)| SeriesSnapshot {
        labels: Arc::clone(labels),
        value: Value::Histogram(HistogramSnapshot {
            bounds: Arc::clone(histogram.bounds()),
            reading: histogram.read(),
            exemplars: Vec::new(),
        }),
    };
    series.into_iter().map(read).collect()
}

fn find_or_create<T: Clone>(handles: &Handles<T>, key: &Key, create: impl FnOnce() -> T) -> T {
    if let Some(handle) = handles.read().unwrap_or_else(PoisonError::into_inner).get(key) {
        return handle.clone();
    }
    let handle = create();
    let mut handles = handles.write().unwrap_or_else(PoisonError::into_inner);
    handles.entry(key.to_retained()).or_insert(handle).clone()
}

impl metrics::Recorder for Recorder {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.lock().describe_unit(&name, unit);
        self.0.exporter.describe_counter(name, unit, escape_backslashes(&help).into());
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.lock().describe_unit(&name, unit);
        self.0.exporter.describe_gauge(name, unit, escape_backslashes(&help).into());
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        let mut families = self.lock();
        families.describe_unit(&name, unit);
        families.help.entry(metric_name(name.as_str())).or_insert(help);
    }

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        find_or_create(&self.0.counters, key, || {
            let key = shown_key(key, Kind::Counter);
            let free = self.check_name(key.name(), Kind::Counter);
            if free { self.0.exporter.register_counter(&key, metadata) } else { Counter::noop() }
        })
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        find_or_create(&self.0.gauges, key, || {
            let key = shown_key(key, Kind::Gauge);
            let free = self.check_name(key.name(), Kind::Gauge);
            if free { self.0.exporter.register_gauge(&key, metadata) } else { Gauge::noop() }
        })
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> metrics::Histogram {
        find_or_create(&self.0.histograms, key, || self.histogram(&shown_key(key, Kind::Histogram)))
    }
}
