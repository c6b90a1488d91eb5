import assert from 'node:assert/strict';
import test from 'node:test';
import { parseJson } from '../../../crates/redpane/src/pane/page/js/json.js';

test('an integer that a number does not hold keeps its digits', () => {
  assert.deepEqual(parseJson('{"order":9007199254740993,"low":-9223372036854775808,"list":[18446744073709551615,1]}'), {
    order: '9007199254740993', low: '-9223372036854775808', list: ['18446744073709551615', 1],
  });
  assert.deepEqual(parseJson('{"held":9007199254740991,"half":0.12345678901234567,"much":1.5e300}'), {
    held: 9007199254740991, half: 0.12345678901234567, much: 1.5e300,
  });
});

test('what stands in a text stays there', () => {
  const line = { note: '"n":9007199254740993,', path: 'a\\"', 9007199254740993: true, large: 1 };
  const text = JSON.stringify(line).replace(':1}', ':9007199254740993}');
  assert.deepEqual(parseJson(text), { ...line, large: '9007199254740993' });
});
