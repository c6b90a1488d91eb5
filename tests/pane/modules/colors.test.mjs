import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';

const css = readFileSync(new URL('../../../crates/redpane/src/pane/page/css/base.css', import.meta.url), 'utf8');
const [light, dark] = [css.split('@media')[0], css.split('@media')[1]];

/** Red, green and blue of a custom property. */
function color(sheet, name) {
  const text = new RegExp(`--${name}: ([^;]+);`).exec(sheet)[1];
  if (!text.startsWith('#')) return text.split(' ').map(Number);
  const digits = text.length === 4 ? [...text.slice(1)].map((one) => one + one) : text.slice(1).match(/../g);
  return digits.map((one) => parseInt(one, 16));
}

function luminance(parts) {
  const [r, g, b] = parts.map((part) => (part / 255 <= 0.03928 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one, other) {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

const CHART = ['c2xx', 'c3xx', 'c4xx', 'c5xx', 'q1', 'q2', 'q3', 'heat-low', 'heat-high', ...[1, 2, 3, 4, 5, 6, 7, 8].map((number) => `series${number}`)];

test('what a chart draws is seen on its ground (WCAG 1.4.11)', () => {
  for (const [scheme, sheet] of Object.entries({ light, dark })) {
    const low = CHART.map((name) => [name, contrast(color(sheet, name), color(sheet, 'card')).toFixed(2)]).filter(([, found]) => found < 3);
    assert.deepEqual(low, [], scheme);
  }
});

test('areas that lie on each other, and quantiles, are told apart', () => {
  for (const [scheme, sheet] of Object.entries({ light, dark })) {
    for (const [one, other] of [['c2xx', 'c3xx'], ['c3xx', 'c4xx'], ['q1', 'q2'], ['q2', 'q3']]) {
      const found = contrast(color(sheet, one), color(sheet, other));
      assert.ok(found >= 1.5, `${scheme} ${one} ${other} ${found.toFixed(2)}`);
    }
  }
});
