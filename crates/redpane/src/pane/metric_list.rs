//! The metrics of `api/overview`, by their names.

use serde::Serialize;

use super::state::Pane;

/// One of them.
#[derive(Clone, Debug, Serialize)]
pub(super) struct MetricState {
    name: String,
    kind: &'static str,
    unit: Option<&'static str>,
    label_sets: usize,
    bounds: Option<Vec<f64>>,
    help: String,
    pinned: bool,
    recorded: bool,
}

/// All metrics by name, those first that the application has pinned.
pub(super) fn read(pane: &Pane) -> Vec<MetricState> {
    let history = pane.history();
    let recorded = history.metrics.iter().map(|(name, metric)| MetricState {
        name: name.clone(),
        kind: metric.kind.as_str(),
        unit: metric.unit,
        label_sets: metric.label_sets,
        bounds: metric.bounds().map(<[f64]>::to_vec),
        help: metric.help.clone(),
        pinned: pane.pinned.contains(name),
        recorded: true,
    });
    let refused = history.refused.iter().map(|(name, kind)| MetricState {
        name: name.clone(),
        kind,
        unit: None,
        label_sets: 0,
        bounds: None,
        help: String::new(),
        pinned: pane.pinned.contains(name),
        recorded: false,
    });
    let mut metrics: Vec<_> = recorded.chain(refused).collect();
    let place = |name: &str| pane.pinned.iter().position(|pinned| pinned == name).unwrap_or(usize::MAX);
    metrics.sort_by(|one, other| (place(&one.name), &one.name).cmp(&(place(&other.name), &other.name)));
    metrics
}
