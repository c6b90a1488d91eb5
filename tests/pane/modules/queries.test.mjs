import assert from 'node:assert/strict';
import test from 'node:test';
import { curlOfApi, curlOfRequest, logql, metricPromql, promql } from '../../../crates/redpane/src/pane/page/js/queries.js';

const OWN = 'app="api",instance=~".+"';

test('PromQL has the route that is looked at, with the names that are served', () => {
  const about = { app: 'api', method: 'GET', route: '/a"b', names: 'redpane', probes: ['/metrics', '/health.z'] };
  assert.equal(promql('requests', about), `sum by (status) (rate(http_requests_total{${OWN},method="GET",route="/a\\"b"}[1m]))`);
  const all = `${OWN},route!~"/metrics|/health\\\\.z"`;
  assert.equal(promql('error_ratio', { ...about, route: null, names: 'both' }), `(sum(rate(http_requests_total{${all},status=~"5.."}[1m])) or vector(0)) / sum(rate(http_requests_total{${all}}[1m]))`);
  assert.equal(promql('latency', { ...about, route: '/', names: 'otel' }), [['p50', 0.5], ['p95', 0.95], ['p99', 0.99]].map(([name, q]) => `label_replace(histogram_quantile(${q}, sum by (le) (rate(http_server_request_duration_seconds_bucket{${OWN},http_request_method="GET",http_route="/"}[1m]))), "quantile", "${name}", "", "")`).join(' or '));
  assert.equal(promql('memory', about), `process_resident_memory_bytes{${OWN}}`);
});

test('errors of gRPC calls are those by their code', () => {
  const calls = (matchers) => `sum(rate(grpc_server_handled_total{${OWN},${matchers}grpc_code=~"Unknown|DeadlineExceeded|Unimplemented|Internal|Unavailable|DataLoss"}[1m]))`;
  const sum = (failed, of) => `((${failed} or vector(0)) + (${of} or vector(0)))`;
  assert.equal(promql('error_ratio', { app: 'api', names: 'redpane', grpc: true }), `${sum(`sum(rate(http_requests_total{${OWN},status=~"5.."}[1m]))`, calls(''))} / sum(rate(http_requests_total{${OWN}}[1m]))`);
  const pay = promql('error_ratio', { app: 'api', method: 'POST', route: '/shop.Orders/Pay', names: 'redpane', grpc: true });
  assert.ok(pay.includes(calls('grpc_service="shop.Orders",grpc_method="Pay",')), pay);
  assert.ok(!promql('error_ratio', { method: 'GET', route: '/', names: 'redpane', grpc: true }).includes('grpc'));
});

test('under the names of OpenTelemetry there is no route of what was not found', () => {
  const query = promql('requests', { app: 'api', method: 'GET', route: 'unmatched', names: 'otel' });
  assert.ok(query.includes(',http_request_method="GET",http_route=""}'), query);
});

test('a metric is asked for by its kind', () => {
  assert.equal(metricPromql({ name: 'orders_total', kind: 'counter' }, { app: 'api' }), `sum without (instance) (rate(orders_total{${OWN}}[1m]))`);
  assert.equal(metricPromql({ name: 'depth', kind: 'gauge' }, { app: 'api' }), `depth{${OWN}}`);
});

test('LogQL has the same filters', () => {
  assert.equal(logql({ app: 'api' }), '{app="api"}');
  const all = { app: 'api', level: 'warn', method: 'GET', route: '/', trace: 'ab', contains: 'a.b', fields: [{ key: 'field.level', value: 'x' }] };
  assert.equal(logql(all), '{app="api"} |~ "(?i)a\\\\.b" | json | level=~"WARN|ERROR" | trace_id="ab" | method="GET" | route="/" | field_level="x"');
});

test('what a client sent cannot leave its quotes in a shell', () => {
  const line = { method: 'POST', path: "/a'; rm -rf ~; '" };
  assert.equal(curlOfRequest(line, 'http://localhost:8000'), `curl -si -X POST 'http://localhost:8000/a'\\''; rm -rf ~; '\\'''`);
  assert.equal(curlOfRequest({ method: 'GET', path: '/a' }, null), `curl -si "$SERVICE"'/a'`, 'nobody said where the service is');
  assert.equal(curlOfRequest({ method: 'GET; reboot', path: '/' }, 'http://x'), "curl -si 'http://x/'");
});

test('a pane with a token is asked with it, which is not in the copy', () => {
  assert.equal(curlOfApi('http://a/api/lines?x=1'), "curl -s 'http://a/api/lines?x=1'");
  assert.equal(curlOfApi('http://a/', true), `curl -s -H "Authorization: Bearer $REDPANE_PANE_TOKEN" 'http://a/'`);
});
