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

test('what is very small, very large or no number is said as it is', () => {
  assert.deepEqual([1e-7, -0.00000025, 1e300, Infinity, -Infinity].map(format.short), ['1e-7', '-2.5e-7', '1e300', '+Inf', '-Inf']);
  assert.deepEqual([3.2e12, 1e15].map(format.short), ['3.2T', '1e15']);
  assert.deepEqual([-0.5, -90, Infinity].map(format.duration), ['-500 ms', '-1 m 30 s', '+Inf']);
  assert.equal(format.quantity(-Infinity, 'bytes'), '-Inf');
});

test('a share below all never reads as all', () => {
  assert.deepEqual([0.9994, 0.9996, 0.99999, 1].map(format.percent), ['99.9 %', '99.96 %', '> 99.99 %', '100 %']);
});

test('few requests are counted by the minute', () => {
  assert.deepEqual([0, 0.0333333, 0.1, 2].map((value) => format.quantity(value, 'rate')), ['0/s', '2/min', '0.1/s', '2/s']);
});

test('a quantile is as exact as what it is made of', () => {
  const bounds = [0.1, 0.5, 10];
  assert.equal(format.quantileOf(0.375, 1, bounds), '≤ 500 ms');
  assert.equal(format.quantileOf(0.375, 100, bounds), '375 ms');
  assert.equal(format.quantileOf(10, 3, bounds), '> 10 s');
  assert.equal(format.quantileOf(10, 5000, bounds), '> 10 s');
  assert.equal(format.quantileOf(null, 0, bounds), '–');
  assert.equal(format.quantileOf(0.375, null, undefined), '375 ms');
});

test('a time of another day has its date', () => {
  const at = (...parts) => new Date(2026, 10, ...parts).getTime();
  const now = at(29, 20, 0, 0);
  assert.equal(format.span(at(29, 19, 46, 58), at(29, 19, 47, 58), now), '19:46:58 to 19:47:58');
  assert.equal(format.span(at(26, 19, 46, 58), at(26, 19, 47, 58), now), '2026-11-26 19:46:58 to 19:47:58');
  assert.equal(format.span(at(28, 23, 59, 0), at(29, 0, 1, 0), now), '2026-11-28 23:59:00 to 00:01:00');
  assert.equal(format.quantity(at(26, 1, 2, 3) / 1000, 'moment'), '2026-11-26 01:02:03');
});

test('a long text keeps its beginning and its end', () => {
  assert.equal(format.cut('/api/v1', 10), '/api/v1');
  assert.equal(format.cut(`/long/${'segment/'.repeat(26)}x`, 11), '/long…ent/x');
  assert.equal(Array.from(format.cut('🚀'.repeat(40), 11)).length, 11);
});
