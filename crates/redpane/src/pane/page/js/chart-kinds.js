// What each chart shows: its columns, colours and unit. Pure: colours are names of the style sheet.
import { columnKey } from './history.js';

const series = (name, label, shown, color, more = {}) => ({ key: columnKey(name, label), label: shown, color, ...more });

/** Charts that are always there, by the `data-chart` of their figure. */
export const CHARTS = {
  requests: {
    title: 'Requests', about: 'by class of status', unit: 'rate', names: ['requests'], stacked: true, ofRoute: true,
    // Errors lie at the bottom, where they grow from the base line.
    series: [
      series('requests', '5xx', '5xx', 'c5xx'), series('requests', '4xx', '4xx', 'c4xx'),
      series('requests', '3xx', '3xx', 'c3xx'), series('requests', '2xx', '2xx', 'c2xx'),
    ],
  },
  latency: {
    title: 'Duration', about: 'quantiles', unit: 'seconds', names: ['latency'], ofRoute: true, ofRequests: true,
    series: [series('latency', 'p50', 'p50', 'q1'), series('latency', 'p95', 'p95', 'q2'), series('latency', 'p99', 'p99', 'q3')],
  },
  error_ratio: {
    title: 'Errors', about: 'share of 5xx', unit: 'share', names: ['error_ratio'], ofRoute: true,
    series: [series('error_ratio', '5xx', '5xx', 'c5xx', { fill: true })],
    beside: [series('requests', '5xx', 'errors', null, { unit: 'rate' })],
  },
  heatmap: { title: 'Duration heat map', about: 'requests per bucket', unit: 'seconds', names: ['heatmap'], ofRoute: true, heat: true, series: [] },
  in_flight: { title: 'In flight', about: 'requests', unit: 'count', names: ['in_flight'], series: [series('in_flight', 'in flight', 'requests', 'series1', { fill: true })] },
  cpu: { title: 'CPU', about: 'of one core', unit: 'share', names: ['cpu'], series: [series('cpu', 'cpu', 'used', 'series3', { fill: true })] },
  memory: { title: 'Memory', about: 'resident', unit: 'bytes', names: ['memory'], series: [series('memory', 'resident', 'resident', 'series4', { fill: true })] },
  tokio: {
    title: 'Tokio', about: 'workers busy', unit: 'share', names: ['tokio_busy_ratio', 'tokio_live_tasks_count', 'tokio_global_queue_depth'],
    series: [series('tokio_busy_ratio', '', 'busy', 'series2', { fill: true })],
    beside: [
      series('tokio_live_tasks_count', '', 'tasks', null, { unit: 'count' }),
      series('tokio_global_queue_depth', '', 'queued', null, { unit: 'count' }),
    ],
    without: 'No runtime metrics: the application does not publish tokio_* (the crate tokio-metrics does).',
  },
};

for (const [key, kind] of Object.entries(CHARTS)) kind.key = key;

/** Names of all series that these charts need. */
export const CHART_NAMES = [...new Set(Object.values(CHARTS).flatMap((chart) => chart.names))];

// Units as the service names them, and as `format.js` does.
const UNITS = { seconds: 'seconds', bytes: 'bytes', ratio: 'share', per_second: 'rate', microseconds: 'microseconds', milliseconds: 'milliseconds' };

/** What a metric is asked for by: its name may be the same as one of the pane's own series. */
export const seriesName = (metric) => `metric:${metric.name}`;

/** Names of gauges that are moments, in Unix time. */
const MOMENT = /_(timestamp|time)_seconds$/;

/** The chart of one of the application's own metrics, from its entry in `metrics` and the columns that are there so far. */
export function metricChart(metric, columns) {
  const { name: title, kind, unit, help, pinned, label_sets, bounds } = metric;
  const name = seriesName(metric);
  const own = kind === 'counter' ? 'rate' : kind === 'gauge' && MOMENT.test(title) ? 'moment' : (UNITS[unit] ?? 'count');
  const some = kind === 'gauge' && label_sets > columns.length ? `${columns.length} of ${label_sets}, the largest` : '';
  const quantiles = kind === 'histogram' ? columns.filter((column) => column.label !== 'rate') : columns;
  const colors = kind === 'histogram' ? ['q1', 'q2', 'q3'] : [1, 2, 3, 4, 5, 6, 7, 8].map((number) => `series${number}`);
  const rate = kind === 'histogram' ? [series(name, 'rate', 'rate', null, { unit: 'rate' })] : [];
  return {
    title, bounds, about: kind === 'counter' ? 'rate' : kind === 'histogram' ? 'quantiles' : some, help, pinned, unit: own, names: [name],
    series: quantiles.map(({ label }, index) => series(name, label, shortLabel(label) || kind, colors[index % colors.length], { fill: quantiles.length === 1 })),
    beside: rate,
  };
}

/** `reason="full",kind="a"` as `full a`: keys are the same in every column. */
function shortLabel(label) {
  const values = [...label.matchAll(/="((?:[^"\\]|\\.)*)"/g)].map((match) => match[1]);
  return values.length ? values.join(' ') : label;
}
