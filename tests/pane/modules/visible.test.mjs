import assert from 'node:assert/strict';
import test from 'node:test';
import { turnsAround, visible } from '../../../crates/redpane/src/pane/page/js/visible.js';

test('what turns text around or is not seen is shown by its number', () => {
  for (const code of [0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069, 0x200b, 0x200e, 0x200f, 0x061c, 0x2028, 0x2029, 0xfeff, 0x1b, 0x7f]) {
    assert.equal(visible(`a${String.fromCharCode(code)}b`), `a\\u${code.toString(16).padStart(4, '0')}b`);
  }
  assert.equal(visible('a\u{e0041}'), 'a\\u{e0041}');
});

test('all other text is as it was', () => {
  for (const text of ['', 'GET /ünï/日本 🚀 <b>', 'two\nlines\tand a tab', 'שלום', '\\u202e']) assert.equal(visible(text), text);
});

test('letters that are written from right to left are noticed', () => {
  assert.deepEqual(['שלום', 'a مرحبا', 'abc 日本', ''].map(turnsAround), [true, true, false, false]);
});
