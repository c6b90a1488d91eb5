// What is looked at here, as the same question to Prometheus, Loki or curl. Pure.

const quote = (text) => `"${String(text).replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')}"`;
const shell = (text) => `'${String(text).replace(/'/g, `'\\''`)}'`;
const otelNames = (names) => names === 'otel';

/** A text in a regular expression. */
const escaped = (text) => text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&');

/** The labels that Prometheus puts on every series; the instance is for whoever looks at one of several. */
const own = ({ app }) => `app=${quote(app ?? '')},instance=~".+"`;

/** The series of this application (and of a route of it, else without probes, as the charts are), with these further matchers. */
function labels({ app, method, route, names, probes }, ...more) {
  const [m, r] = otelNames(names) ? ['http_request_method', 'http_route'] : ['method', 'route'];
  // OpenTelemetry's names have no route where none was found.
  const shown = otelNames(names) && route === 'unmatched' ? '' : route;
  const judged = probes?.length ? [`${r}!~${quote(probes.map(escaped).join('|'))}`] : [];
  return `{${[own({ app }), ...(route ? [`${m}=${quote(method)}`, `${r}=${quote(shown)}`] : judged), ...more].join(',')}}`;
}

/** gRPC codes that are the server's fault: such a call fails under the status 200. */
const FAULTS = 'Unknown|DeadlineExceeded|Unimplemented|Internal|Unavailable|DataLoss';

/** The matchers of the gRPC calls of a route, or null where it cannot have any. */
function calls({ route }) {
  if (!route) return '';
  const [, service, method] = /^\/([^/]+)\/([^/]+)$/.exec(route) ?? [];
  return service ? `grpc_service=${quote(service)},grpc_method=${quote(method)},` : null;
}

/** The three quantiles of a chart, each with its name. */
const quantiles = (buckets) => [['p50', 0.5], ['p95', 0.95], ['p99', 0.99]].map(([name, q]) => `label_replace(histogram_quantile(${q}, sum by (le) (rate(${buckets}[1m]))), "quantile", "${name}", "", "")`).join(' or ');

/** PromQL of one of the charts of requests and process. `about` has `app`, `method`, `route` (or null), `names`, `probes`, and `grpc` where there are such calls. */
export function promql(chart, about) {
  const otel = otelNames(about.names);
  const total = otel ? 'http_server_request_duration_seconds_count' : 'http_requests_total';
  const buckets = `${otel ? 'http_server_request_duration_seconds' : 'http_request_duration_seconds'}_bucket`;
  const status = otel ? 'http_response_status_code' : 'status';
  const all = labels(about);
  let failed = `sum(rate(${total}${labels(about, `${status}=~"5.."`)}[1m]))`;
  const ofCalls = about.grpc ? calls(about) : null;
  if (ofCalls !== null) failed = `((${failed} or vector(0)) + (sum(rate(grpc_server_handled_total{${own(about)},${ofCalls}grpc_code=~"${FAULTS}"}[1m])) or vector(0)))`;
  const known = {
    requests: `sum by (${status}) (rate(${total}${all}[1m]))`,
    error_ratio: `${ofCalls === null ? `(${failed} or vector(0))` : failed} / sum(rate(${total}${all}[1m]))`,
    latency: quantiles(`${buckets}${all}`),
    heatmap: `sum by (le) (increase(${buckets}${all}[1m]))`,
    in_flight: `sum(${otel ? 'http_server_active_requests' : 'http_requests_in_flight'}{${own(about)}})`,
    cpu: `rate(process_cpu_seconds_total{${own(about)}}[1m])`,
    memory: `process_resident_memory_bytes{${own(about)}}`,
    tokio: `tokio_busy_ratio{${own(about)}}`,
  };
  return known[chart] ?? null;
}

/** PromQL of one of the application's own metrics. */
export function metricPromql({ name, kind }, about) {
  const of = `{${own(about)}}`;
  // One line for each label set, as here, and not for each instance.
  if (kind === 'counter') return `sum without (instance) (rate(${name}${of}[1m]))`;
  if (kind === 'histogram') return quantiles(`${name}_bucket${of}`);
  return `${name}${of}`;
}

// LogQL has no order among levels.
const FROM_LEVEL = { error: 'ERROR', warn: 'WARN|ERROR', info: 'INFO|WARN|ERROR', debug: 'DEBUG|INFO|WARN|ERROR' };

/** LogQL of the lines that a filter lets through. The time range is Grafana's own. */
export function logql({ app, level, method, route, trace, contains, fields }) {
  const parts = [`{app=${quote(app)}}`];
  if (contains) parts.push(`|~ ${quote(`(?i)${contains.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`)}`);
  const wanted = [];
  if (FROM_LEVEL[level]) wanted.push(`level=~${quote(FROM_LEVEL[level])}`);
  if (trace) wanted.push(`trace_id=${quote(trace)}`);
  if (route) wanted.push(`method=${quote(method)}`, `route=${quote(route)}`);
  // The parser turns what is no letter, digit or underscore of a key into an underscore.
  (fields ?? []).forEach(({ key, value }) => wanted.push(`${key.replace(/[^A-Za-z0-9_]/g, '_')}=${quote(value)}`));
  if (wanted.length) parts.push('| json', ...wanted.map((one) => `| ${one}`));
  return parts.join(' ');
}

/** Repeats a request from its access line. Lines hold neither query nor body nor headers, so these are not repeated. */
export function curlOfRequest(line, base) {
  const method = /^[A-Z]+$/.test(line.method) && line.method !== 'GET' ? `-X ${line.method} ` : '';
  // Nobody said where the service is: the shell may know.
  return `curl -si ${method}${base ? shell(`${base}${line.path}`) : `"$SERVICE"${shell(line.path)}`}`;
}

/** Asks the pane for what is shown; with a token where it needs one, which stays where it is. */
export const curlOfApi = (url, needsToken = false) => `curl -s ${needsToken ? '-H "Authorization: Bearer $REDPANE_PANE_TOKEN" ' : ''}${shell(url)}`;
