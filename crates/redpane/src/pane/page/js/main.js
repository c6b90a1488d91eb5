// Puts the parts together: one view, one feed, and who is told what.
import { get } from './api.js';
import { Board } from './board.js';
import { copy, copyButton } from './copy.js';
import { controls } from './controls.js';
import { byId, setText } from './dom.js';
import { Feed } from './feed.js';
import { clock, duration } from './format.js';
import { LinesPanel } from './lines-panel.js';
import { lineParameters, parseSearch } from './line-query.js';
import { LogFilter } from './log-filter.js';
import { MetricsPanel } from './metrics-panel.js';
import { Notice } from './notice.js';
import { curlOfApi, curlOfRequest, logql, metricPromql, promql } from './queries.js';
import { Routes } from './routes.js';
import { Rules } from './rules.js';
import { sleepWhileHidden } from './sleep.js';
import { StateLine } from './state-line.js';
import { TracePanel } from './trace-panel.js';
import { View } from './view.js';

const view = new View();
const feed = new Feed();
const notice = new Notice();
const failed = (error) => notice.say(`The service did not answer: ${error.message}.`);
/** What the service said of itself: name, version, names of metrics, its own address. */
let about = { app: 'api' };
let instance = null;

const hasGrpc = () => about.metrics?.some(({ name }) => name === 'grpc_server_handled_total');
const chartQuery = (kind) => (kind.metric ? metricPromql(kind.metric, about) : promql(kind.key, { ...(kind.ofRoute ? view.now : {}), app: about.app, names: about.metric_names, probes: about.probes, grpc: hasGrpc() }));
const board = new Board(view, { copy: (kind) => copy(chartQuery(kind), 'PromQL'), failed });
const metrics = new MetricsPanel(view, board, () => { board.load(); reopen(); });
const state = new StateLine();
const rules = new Rules(view, copy);
const routes = new Routes(view, failed);
const lines = new LinesPanel(view, failed);
const logFilter = new LogFilter(failed);
const trace = new TracePanel(view, (answer, request) => [
  copyButton('JSON', 'Copy the trace as JSON', () => JSON.stringify(answer, null, 2)),
  ...(request ? [copyButton('curl', 'Copy the request as curl (query, body and headers are not in the log)', () => curlOfRequest(request, about.service_url))] : []),
  copyButton('LogQL', 'Copy the LogQL query for Grafana', () => logql({ app: about.app, trace: answer.trace_id })),
]);
byId('lines-copies').append(
  copyButton('JSON', 'Copy these lines as JSON, one a line', () => lines.buffer.lines.map(({ line }) => JSON.stringify(line)).join('\n')),
  copyButton('curl', 'Copy as curl: the same lines from the API', () => curlOfApi(lines.url(), document.documentElement.dataset.access === 'token')),
  copyButton('LogQL', 'Copy the LogQL query for Grafana', () => logql({ app: about.app, ...view.now, trace: null, ...parseSearch(view.now.search) })),
);

let opening = null;

/** Opens the feed for what is looked at now: a few changes at once open one feed. */
function reopen() {
  clearTimeout(opening);
  opening = setTimeout(() => {
    const { method, route } = view.now;
    const wanted = lines.live ? lineParameters(view.now) : { method, route, lines: 0 };
    feed.open({ ...wanted, series: board.names() });
  }, 120);
}

feed.addEventListener('hello', ({ detail }) => {
  const restarted = instance !== null && instance !== detail.instance;
  if (restarted) notice.say(`Restarted at ${clock(detail.started_ms)}: history, counters and lines begin anew.`);
  // What was shown may have a gap now, or be of a process that is gone.
  if (instance !== null || !about.metrics) {
    board.load();
    overview();
  }
  instance = detail.instance;
  if (lines.live) lines.load(detail.next_id);
  // What was chosen is of a process that is gone, and so are its lines.
  else if (restarted) lines.load();
  if (restarted) routes.load();
});
feed.addEventListener('tick', ({ detail }) => {
  board.tick(detail);
  show(detail);
  metrics.counted(detail.metrics_count);
});
feed.addEventListener('lines', ({ detail }) => lines.add(detail));
feed.addEventListener('dropped', ({ detail }) => lines.lost(detail));
feed.addEventListener('status', ({ detail }) => {
  const lost = detail.state === 'lost';
  byId('main').classList.toggle('stale', lost);
  if (lost) state.lost(detail);
  controls.connection(detail);
});

feed.addEventListener('look', () => { overview(); board.load(); if (lines.live) lines.load(); });

sleepWhileHidden(feed, (overview) => show(overview));

function show(overview) {
  // Whether it is on fire is shown in a pause too.
  state.show(overview);
  rules.show(overview);
  if (!board.paused) routes.show(overview);
  logFilter.show(overview.log_filter);
  setText(byId('app'), overview.app);
  const up = overview.process?.uptime_seconds;
  setText(byId('about'), `${overview.version} · up ${up ? duration(Math.round(up)) : '–'}`);
}

/** What a tick has not: the list of metrics, and all there is before the first tick. */
async function overview() {
  try {
    about = await get('api/overview');
    board.started = about.started_ms;
    show(about);
    metrics.take(about.metrics);
  } catch (error) {
    failed(error);
  }
}

controls.start({ view, board, lines, trace, reload: () => { board.load(); if (lines.live) reopen(); } });
view.onChange((_, changed) => {
  if (['from', 'to', 'level', 'search', 'method', 'route'].some((name) => changed.has(name))) reopen();
});
// Which metrics are shown decides what the feed and the history have to bring.
overview().finally(() => {
  if (!board.loaded) board.load();
  reopen();
});
if (!lines.live) lines.load();
if (view.now.trace !== null || view.now.line !== null) trace.load();
