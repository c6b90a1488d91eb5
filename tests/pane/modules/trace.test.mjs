import assert from 'node:assert/strict';
import test from 'node:test';
import { tree, waterfall } from '../../../crates/redpane/src/pane/page/js/trace-model.js';

const span = (span_id, parent_span_id, start_ms, duration_seconds = 0.01) => ({ span_id, parent_span_id, start_ms, duration_seconds, name: span_id });
const depths = (spans) => tree(spans).map(({ span_id, depth }) => `${span_id}${depth}`).join(' ');

test('spans are a tree, siblings by their start', () => {
  assert.equal(depths([span('c', 'a', 30), span('a', 'elsewhere', 10), span('d', 'b', 25), span('b', 'a', 20)]), 'a0 b1 d2 c1');
});

test('a forged circle loses no span and comes to an end', () => {
  assert.equal(depths([span('a', 'b', 1), span('b', 'a', 2), span('c', 'c', 3)]), 'c0 a0 b0');
});

test('bars and ticks are shares of the whole time', () => {
  const lines = [
    { id: 1, line: { timestamp: '1970-01-01T00:00:01.050Z', span_id: 'a', message: 'half', level: 'WARN' } },
    { id: 2, line: { timestamp: '1970-01-01T00:00:01.100Z', span_id: 'a', target: 'redpane::access', message: 'request', status: 200, method: 'GET', path: '/' } },
  ];
  const { rows, lines: placed, request } = waterfall({ spans: [span('a', null, 1000, 0.1), span('b', 'a', 1025, 0.05)], lines });
  assert.deepEqual(rows.map(({ left, width }) => [left, width]), [[0, 1], [0.25, 0.5]]);
  assert.deepEqual(rows[0].ticks.map(({ id, share }) => [id, share]), [[1, 0.5]]);
  assert.ok(Math.abs(placed[1].offset - 0.1) < 1e-9);
  assert.equal(request.status, 200);
});

test('lines alone, and a single moment, can be drawn', () => {
  const one = waterfall({ spans: [], lines: [{ id: 1, line: { timestamp: '1970-01-01T00:00:01Z', message: 'x' } }] });
  assert.deepEqual([one.rows, one.request, one.lines[0].share], [[], null, 0]);
  assert.ok(one.to > one.from);
});
