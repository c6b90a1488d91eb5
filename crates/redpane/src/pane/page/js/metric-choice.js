// Which of the application's metrics are shown. Pure.

/** As many as the feed has room for beside the other charts. */
export const MOST_CHARTS = 6;

// What the pane shows elsewhere, or what is about redpane itself: found by name, but not shown unasked.
const KNOWN = /^(http|process|tokio|log|trace|redpane|grpc)_|^target_info$/;

/** Which metrics have a chart, and which are offered by name. Pure. */
export function choose(all, { find, metrics }) {
  const words = find.toLowerCase().split(/\s+/).filter(Boolean);
  const matching = all.filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)));
  const chosen = metrics.map((name) => all.find((metric) => metric.name === name)).filter(Boolean);
  const offered = words.length ? matching : matching.filter(({ name, pinned }) => pinned || !KNOWN.test(name));
  const shown = (chosen.length ? chosen : offered.filter(({ recorded }) => recorded)).slice(0, MOST_CHARTS);
  return { shown, names: words.length ? matching : all };
}
