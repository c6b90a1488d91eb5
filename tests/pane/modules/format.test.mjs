import assert from 'node:assert/strict';
import test from 'node:test';
import * as format from '../../../crates/redpane/src/pane/page/js/format.js';

test('durations have the unit that a person would say', () => {
  const said = [0, 0.0000123, 0.00085, 0.0009996, 0.0123, 0.9996, 1.25, 59.96, 61, 3605, 11_100, 100_000].map(format.duration);
  assert.deepEqual(said, ['0 s', '12.3 µs', '850 µs', '1 ms', '12.3 ms', '1 s', '1.25 s', '1 m', '1 m 1 s', '1 h', '3 h 5 m', '1 d 3 h']);
});

test('bytes are powers of 1024', () => {
  assert.deepEqual([0, 512, 1023, 1023.9, 1536, 48 * 2 ** 20, 3 * 2 ** 40].map(format.bytes), ['0 B', '512 B', '1023 B', '1 KiB', '1.5 KiB', '48 MiB', '3072 GiB']);
});

test('an error never reads as none', () => {
  assert.deepEqual([0, 0.000001, 0.0002, 0.345, 1].map(format.percent), ['0 %', '< 0.01 %', '0.02 %', '34.5 %', '100 %']);
});

test('large numbers are short, and no digit is lost at a border', () => {
  assert.deepEqual([0, 0.5, 7, 999.4, 999.7, 12_345, 1_234_567, 2e9].map(format.short), ['0', '0.5', '7', '999', '1k', '12.3k', '1.23M', '2G']);
});

test('what is not known is a dash', () => {
  assert.deepEqual([null, undefined, NaN].map((value) => format.quantity(value, 'seconds')), ['–', '–', '–']);
  assert.equal(format.quantity(3.456, 'rate'), '3.46/s');
});

test('times are local, and UTC on demand', () => {
  const ms = new Date(2026, 0, 2, 3, 4, 5, 6).getTime();
  assert.equal(format.clock(ms), '03:04:05');
  assert.equal(format.clock(ms, true), '03:04:05.006');
  assert.equal(format.utc(Date.UTC(2026, 10, 29, 2, 13, 5, 123)), '2026-11-29 02:13:05.123 UTC');
});
