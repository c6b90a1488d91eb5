import assert from 'node:assert/strict';
import test from 'node:test';
import { metricChart } from '../../../crates/redpane/src/pane/page/js/chart-kinds.js';
import { cellAt } from '../../../crates/redpane/src/pane/page/js/chart-legend.js';
import { columnKey } from '../../../crates/redpane/src/pane/page/js/history.js';

const metric = (more) => ({ name: 'requests', kind: 'gauge', unit: null, label_sets: 1, bounds: null, ...more });

test('a metric of the application is asked for as such, whatever it is called', () => {
  const { title, names, series } = metricChart(metric(), [{ label: '' }]);
  assert.deepEqual([title, names, series[0].key], ['requests', ['metric:requests'], columnKey('metric:requests', '')]);
});

test('what is left out of a gauge is said', () => {
  const columns = Array.from({ length: 8 }, (_, id) => ({ label: `id="${id}"` }));
  assert.equal(metricChart(metric({ label_sets: 1000 }), columns).about, '8 of 1000, the largest');
  assert.equal(metricChart(metric({ label_sets: 8 }), columns).about, '');
});

test('Unix times are moments', () => {
  const unit = (name, kind) => metricChart(metric({ name, kind, unit: 'seconds' }), [{ label: '' }]).unit;
  assert.deepEqual([unit('last_backup_timestamp_seconds', 'gauge'), unit('process_start_time_seconds', 'gauge'), unit('lag_seconds', 'gauge')], ['moment', 'moment', 'seconds']);
});

test('what is said of a cell of the heat map is what is drawn there', () => {
  const columns = [{ start: 0, width: 2000, counts: [3, 1, 0] }, { start: 2000, width: 2000, counts: [0, 7, 0] }, { start: 4000, width: 2000, counts: null }];
  const at = (ms, bucket) => { const { column, row, most } = cellAt(columns, ms, bucket); return [column?.start, row, most]; };
  assert.deepEqual(at(1999, 0), [0, 0, 7]);
  assert.deepEqual(at(2000, 1), [2000, 1, 7]);
  assert.deepEqual(at(5000, 1), [undefined, -1, 7]);
  assert.deepEqual(at(null, -1), [2000, 1, 7], 'the newest that has any');
});
