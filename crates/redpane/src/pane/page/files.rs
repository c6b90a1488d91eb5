//! The files of the page, one a line: a file that is not here is not served, and a test says so.

/// Name, media type and content.
pub(super) type File = (&'static str, &'static str, &'static [u8]);

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

macro_rules! file {
    ($name:literal, $kind:expr) => {
        ($name, $kind, include_bytes!($name))
    };
}

/// All but the two pages themselves.
pub(super) const FILES: &[File] = &[
    file!("css/base.css", CSS),
    file!("css/charts.css", CSS),
    file!("css/layout.css", CSS),
    file!("css/login.css", CSS),
    file!("css/lines.css", CSS),
    file!("css/routes.css", CSS),
    file!("css/state.css", CSS),
    file!("css/trace.css", CSS),
    file!("icons/burning.svg", SVG),
    file!("icons/ok.svg", SVG),
    file!("icons/unknown.svg", SVG),
    file!("icons/warning.svg", SVG),
    file!("js/api.js", JS),
    file!("js/axes.js", JS),
    file!("js/board.js", JS),
    file!("js/chart-kinds.js", JS),
    file!("js/chart-legend.js", JS),
    file!("js/chart-select.js", JS),
    file!("js/chart.js", JS),
    file!("js/controls.js", JS),
    file!("js/copy.js", JS),
    file!("js/dom.js", JS),
    file!("js/feed.js", JS),
    file!("js/fields.js", JS),
    file!("js/format.js", JS),
    file!("js/heatmap.js", JS),
    file!("js/history.js", JS),
    file!("js/keys.js", JS),
    file!("js/line-buffer.js", JS),
    file!("js/line-list.js", JS),
    file!("js/line-query.js", JS),
    file!("js/line-text.js", JS),
    file!("js/lines-panel.js", JS),
    file!("js/log-filter.js", JS),
    file!("js/main.js", JS),
    file!("js/metric-choice.js", JS),
    file!("js/metrics-panel.js", JS),
    file!("js/notice.js", JS),
    file!("js/queries.js", JS),
    file!("js/ranges.js", JS),
    file!("js/routes.js", JS),
    file!("js/rules.js", JS),
    file!("js/sleep.js", JS),
    file!("js/state-line.js", JS),
    file!("js/trace-model.js", JS),
    file!("js/trace-panel.js", JS),
    file!("js/view.js", JS),
    file!("js/waterfall.js", JS),
    file!("js/words.js", JS),
    file!("vendor/uplot/uPlot.iife.min.js", JS),
    file!("vendor/uplot/uPlot.min.css", CSS),
];
