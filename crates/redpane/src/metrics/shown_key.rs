//! A key of the `metrics` facade as `/metrics` shows it.

use std::borrow::Cow;

use metrics::{Key, Label};
use metrics_exporter_prometheus::formatting::{sanitize_label_key, sanitize_metric_name};

use super::snapshot::Kind;

/// The name as it is shown. The exporter's function leaves an empty name empty, which no scraper accepts.
pub(super) fn metric_name(given: &str) -> String {
    if given.is_empty() { "_".into() } else { sanitize_metric_name(given) }
}

/// The key as it is shown: valid names, labels sorted by name, each name once (the last one given counts). Histograms
/// need `le` for themselves, and a scraper refuses everything that comes with a label `__name__`: two underscores in front
/// are Prometheus' own. Such labels get the prefix that Prometheus gives to labels in its way.
pub(super) fn shown_key(key: &Key, kind: Kind) -> Key {
    let mut labels: Vec<(String, Cow<'_, str>)> = Vec::new();
    for given in key.labels() {
        let mut name = if given.key().is_empty() { "_".into() } else { sanitize_label_key(given.key()) };
        if name.starts_with("__") || (kind == Kind::Histogram && name == "le") {
            name.insert_str(0, "exported_");
        }
        let value = match kind {
            Kind::Histogram => Cow::Borrowed(given.value()),
            Kind::Counter | Kind::Gauge => Cow::Owned(escape_backslashes(given.value())),
        };
        labels.retain(|(earlier, _)| *earlier != name);
        labels.push((name, value));
    }
    labels.sort();
    let labels: Vec<_> = labels.into_iter().map(|(name, value)| Label::new(name, value.into_owned())).collect();
    Key::from_parts(metric_name(key.name()), labels)
}

/// For the exporter, which reads a doubled backslash as one that is escaped already.
pub(super) fn escape_backslashes(text: &str) -> String {
    text.replace('\\', "\\\\")
}
