import assert from 'node:assert/strict';
import test from 'node:test';
import { curlOfRequest, logql, metricPromql, promql } from '../../../crates/redpane/src/pane/page/js/queries.js';

test('PromQL has the route that is looked at, with the names that are served', () => {
  const about = { method: 'GET', route: '/a"b', names: 'redpane' };
  assert.equal(promql('requests', about), 'sum by (status) (rate(http_requests_total{method="GET",route="/a\\"b"}[1m]))');
  assert.equal(promql('error_ratio', { names: 'both' }), 'sum(rate(http_requests_total{status=~"5.."}[1m])) / sum(rate(http_requests_total[1m]))');
  assert.equal(promql('latency', { ...about, route: '/', names: 'otel' }), 'histogram_quantile(0.99, sum by (le) (rate(http_server_request_duration_seconds_bucket{http_request_method="GET",http_route="/"}[1m])))');
});

test('errors of gRPC calls are those by their code', () => {
  const calls = (matchers) => `sum(rate(grpc_server_handled_total{${matchers}grpc_code=~"Unknown|DeadlineExceeded|Unimplemented|Internal|Unavailable|DataLoss"}[1m]))`;
  const sum = (failed, of) => `((${failed} or vector(0)) + (${of} or vector(0)))`;
  assert.equal(promql('error_ratio', { names: 'redpane', grpc: true }), `${sum('sum(rate(http_requests_total{status=~"5.."}[1m]))', calls(''))} / sum(rate(http_requests_total[1m]))`);
  const pay = promql('error_ratio', { method: 'POST', route: '/shop.Orders/Pay', names: 'redpane', grpc: true });
  assert.ok(pay.includes(calls('grpc_service="shop.Orders",grpc_method="Pay",')), pay);
  assert.ok(!promql('error_ratio', { method: 'GET', route: '/', names: 'redpane', grpc: true }).includes('grpc'));
});

test('under the names of OpenTelemetry there is no route of what was not found', () => {
  const query = promql('requests', { method: 'GET', route: 'unmatched', names: 'otel' });
  assert.ok(query.includes('{http_request_method="GET",http_route=""}'), query);
});

test('a metric is asked for by its kind', () => {
  assert.equal(metricPromql({ name: 'orders_total', kind: 'counter' }), 'rate(orders_total[1m])');
  assert.equal(metricPromql({ name: 'depth', kind: 'gauge' }), 'depth');
});

test('LogQL has the same filters', () => {
  assert.equal(logql({ app: 'api' }), '{app="api"}');
  const all = { app: 'api', level: 'warn', method: 'GET', route: '/', trace: 'ab', contains: 'a.b', fields: [{ key: 'field.level', value: 'x' }] };
  assert.equal(logql(all), '{app="api"} |~ "(?i)a\\\\.b" | json | level=~"WARN|ERROR" | trace_id="ab" | method="GET" | route="/" | field_level="x"');
});

test('what a client sent cannot leave its quotes in a shell', () => {
  const line = { method: 'POST', path: "/a'; rm -rf ~; '" };
  assert.equal(curlOfRequest(line, 'http://localhost:8000'), `curl -si -X POST 'http://localhost:8000/a'\\''; rm -rf ~; '\\'''`);
  assert.equal(curlOfRequest({ method: 'GET; reboot', path: '/' }, 'http://x'), "curl -si 'http://x/'");
});
