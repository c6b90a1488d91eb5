import assert from 'node:assert/strict';
import test from 'node:test';
import { mergeSteps, usedBuckets } from '../../../crates/redpane/src/pane/page/js/heatmap.js';
import { History, isolated, stack } from '../../../crates/redpane/src/pane/page/js/history.js';

const answer = () => ({
  step_seconds: 1, from_ms: 10_000, to_ms: 13_000, points: 3,
  series: [{ name: 'cpu', label: 'cpu', unit: 'ratio', values: [null, 1, 2] }],
  heatmap: { bounds_seconds: [0.1], counts: [null, [1, 0], [0, 2]] },
});
const tick = (at_ms, ...series) => ({ at_ms, series, heatmap: [5, 5] });

test('a second is added at the new end and lost at the old one', () => {
  const history = new History();
  history.load(answer());
  assert.ok(history.append(tick(13_000, { name: 'cpu', label: 'cpu', unit: 'ratio', value: 3 })));
  assert.deepEqual(history.times, [11_000, 12_000, 13_000]);
  assert.deepEqual(history.values('cpu', 'cpu'), [1, 2, 3]);
  assert.deepEqual(history.heat, [[1, 0], [0, 2], [5, 5]]);
});

test('a second that is there already changes nothing, one after a gap is refused', () => {
  const history = new History();
  history.load(answer());
  assert.ok(history.append(tick(12_000)));
  assert.ok(!history.append(tick(14_000)));
  assert.deepEqual(history.times, [10_000, 11_000, 12_000]);
});

test('after the clock was set back the history is asked for anew', () => {
  const history = new History();
  history.load({ ...answer(), from_ms: 3_600_000 });
  // A busy machine, or a clock that was set back a little: the service has that second already.
  assert.ok(history.append(tick(3_600_000 - 5_000)));
  assert.ok(!history.append(tick(1_000)));
});

test('columns that come later or stay away are as long as the others', () => {
  const history = new History();
  history.load(answer());
  history.append(tick(13_000, { name: 'orders', label: '', unit: null, value: 7 }));
  assert.deepEqual(history.values('orders', ''), [null, null, 7]);
  assert.deepEqual(history.values('cpu', 'cpu'), [1, 2, null]);
});

test('the newest value of a gauge that cannot be drawn is kept as it is said', () => {
  const history = new History();
  history.load({ ...answer(), series: [{ name: 'metric:depth', label: '', unit: null, values: [null, null, null], not_finite: 'NaN' }] });
  const notFinite = () => history.of('metric:depth')[0].notFinite;
  assert.equal(notFinite(), 'NaN');
  history.append(tick(13_000, { name: 'metric:depth', label: '', unit: null, value: 4 }));
  assert.equal(notFinite(), undefined);
});

test('steps of ten seconds are not made of seconds', () => {
  const history = new History();
  history.load({ ...answer(), step_seconds: 10 });
  assert.ok(!history.append(tick(40_000)));
});

test('areas are sums from the last to the first', () => {
  assert.deepEqual(stack([[1, null, 0], [2, 3, null], [4, null, null]]), [[7, 3, 0], [6, 3, null], [4, null, null]]);
});

test('cells of the heat map are sums on fixed borders', () => {
  const columns = mergeSteps([[1, 0], null, [0, 2], [1, 1]], [1000, 2000, 3000, 4000], 1000, 2);
  assert.deepEqual(columns, [
    { start: 0, width: 2000, counts: [1, 0] }, { start: 2000, width: 2000, counts: [0, 2] }, { start: 4000, width: 2000, counts: [1, 1] },
  ]);
  assert.deepEqual(usedBuckets(columns, 2), [0, 1]);
  assert.deepEqual(usedBuckets([{ counts: [0, 0, 0, 1, 0, 0] }], 6), [2, 4]);
  assert.deepEqual(usedBuckets([{ counts: null }], 6), [0, 5]);
});

test('a value between two that are not known is found: no line would show it', () => {
  assert.deepEqual(isolated([1, null, 2, null, 3, 4, null, undefined, 0]), [0, 2, 8]);
  assert.deepEqual(isolated([1, null, 2, 3, null, 5], 1, 4), null);
  assert.deepEqual(isolated([1, 2, null], 1, 2), null, 'its neighbour is out of sight, but the line to it is not');
  assert.equal(isolated([]), null);
});
