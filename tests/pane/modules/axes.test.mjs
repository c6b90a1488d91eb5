import assert from 'node:assert/strict';
import test from 'node:test';
import { valueRange } from '../../../crates/redpane/src/pane/page/js/axes.js';

const range = (unit, lowest, highest) => valueRange(unit)(null, lowest, highest);

test('zero is in sight, and so is what is below it', () => {
  assert.deepEqual(range('count', 2, 10), [0, 11]);
  assert.deepEqual(range('count', null, null), [0, 1]);
  assert.deepEqual(range('seconds', 0, 0), [0, 0.001]);
  assert.deepEqual(range('count', -10, -10), [-11, 0]);
  assert.deepEqual(range('count', -10, 20), [-11, 22]);
  assert.deepEqual(range('moment', 1764400000, 1764400000), [1764399940, 1764400060], 'nobody looks for 1970');
});
