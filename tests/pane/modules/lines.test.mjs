import assert from 'node:assert/strict';
import test from 'node:test';
import { LineBuffer } from '../../../crates/redpane/src/pane/page/js/line-buffer.js';
import { canFilterBy, formatField, lineParameters, parseSearch, searchNote, withField, withoutField } from '../../../crates/redpane/src/pane/page/js/line-query.js';
import { lineTime, lineWords } from '../../../crates/redpane/src/pane/page/js/line-text.js';

test('the search is text and fields', () => {
  const field = (key, value) => ({ key, value });
  assert.deepEqual(parseSearch('timed out status=500 field.level=x'), { contains: 'timed out', fields: [field('status', '500'), field('field.level', 'x')], unused: [] });
  assert.deepEqual(parseSearch('tenant="acme & \\"co\\""'), { contains: '', fields: [field('tenant', 'acme & "co"')], unused: [] });
  // A query string in a text is no field, and neither is half of one.
  assert.deepEqual(parseSearch('/path?a=1 b= =c'), { contains: '/path?a=1 b= =c', fields: [], unused: [] });
});

test('a text is cut where it is longer than the service takes', () => {
  const contains = (search) => lineParameters({ search }).contains;
  assert.equal(contains('timeout'), 'timeout');
  assert.equal(contains('ü'.repeat(200)), 'ü'.repeat(128));
  assert.equal(contains(`a${'ü'.repeat(199)}`), `a${'ü'.repeat(127)}`);
});

test('what of a search is not done is said', () => {
  for (const text of ['', 'timed out status=500', '/path?a=1 b= =c', 'order lost']) assert.equal(searchNote(text), '', text);
  const nine = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((number) => `f${number}=${number}`).join(' ');
  assert.equal(searchNote(nine), 'At most 8 fields: f9=9 is not used.');
  assert.deepEqual(lineParameters({ search: nine }).field.at(-1), 'f8:8');
  assert.match(searchNote('é'.repeat(129)), /^Only the first 256 bytes/);
  assert.match(searchNote('a OR b'), /^OR is looked for as it stands/);
  assert.equal(searchNote('path=~/a'), 'path is compared with ~/a as it stands: there are no patterns.');
  for (const text of ['status!=200', 'x status>=500', 'a<3']) assert.match(searchNote(text), /is looked for as it stands: fields are compared with = only\.$/, text);
});

test('a field that was typed is found again', () => {
  for (const value of ['500', 'acme & co', 'a"b\\c', '']) {
    assert.deepEqual(parseSearch(formatField('key', value)).fields, [{ key: 'key', value }], value);
  }
  assert.equal(withField('slow', 'status', 500), 'slow status=500');
  assert.equal(withField('slow status=500', 'status', 500), 'slow status=500');
});

test('a field is another one than the beginning of a longer one', () => {
  assert.equal(withField('status=5001', 'status', 500), 'status=5001 status=500');
  assert.equal(withField('xstatus=500', 'status', 500), 'xstatus=500 status=500');
  assert.equal(withField('note="status=500 "', 'status', 500), 'note="status=500 " status=500');
});

test('the field that is taken off goes as it was typed, and nothing else changes', () => {
  assert.equal(withoutField('status=5001 status=500', 1), 'status=5001');
  assert.equal(withoutField('route="/hello/{name}" slow', 0), 'slow');
  assert.equal(withoutField('slow  one status=500 tenant="a  b"', 0), 'slow  one tenant="a  b"');
  assert.equal(withoutField('a=1 b=2 c=3', 1), 'a=1 c=3');
  assert.equal(withoutField('timeout', 0), 'timeout');
});

test('a name that the search cannot have is no filter', () => {
  for (const key of ['tenant', 'http.status', 'field.level', 'größe', '_x-1']) {
    assert.ok(canFilterBy(key), key);
    assert.deepEqual(parseSearch(formatField(key, 'a b')).fields, [{ key, value: 'a b' }], key);
  }
  // The API has the name before the first colon.
  for (const key of ['two words', 'a:b', 'a=b', '"', '', '1st']) assert.ok(!canFilterBy(key), key);
  assert.deepEqual(parseSearch('a:b=1'), { contains: 'a:b=1', fields: [], unused: [] });
});

test('lines are kept once, the newest first, and not without end', () => {
  const lines = (...ids) => ids.map((id) => ({ id, line: {} }));
  const ids = (buffer) => buffer.lines.map(({ id }) => id);
  const buffer = new LineBuffer(5);
  assert.equal(buffer.addOlder(lines(4, 3)), 2);
  assert.equal(buffer.add(lines(3, 4, 5, 6)), 2);
  assert.deepEqual(ids(buffer), [6, 5, 4, 3]);
  assert.equal(buffer.addOlder(lines(3, 2, 1)), 1);
  assert.ok(buffer.full);
  buffer.add(lines(7));
  assert.deepEqual(ids(buffer), [7, 6, 5, 4, 3]);
});

test('what the list shows stays as it was while lines come', () => {
  const buffer = new LineBuffer(5);
  buffer.add([{ id: 1, line: {} }]);
  const shown = buffer.lines;
  buffer.add([{ id: 2, line: {} }]);
  assert.deepEqual(shown.map(({ id }) => id), [1]);
});

test('a line is said in words', () => {
  const access = { target: 'redpane::access', message: 'request', method: 'GET', path: '/a', status: 503, outcome: 'timeout', duration_seconds: 0.25, tenant: 'acme', client: '::1' };
  assert.deepEqual(lineWords(access), { lead: 'GET /a', status: 5, statusText: '503 timeout', took: '250 ms', rest: ['tenant=acme'] });
  assert.deepEqual(lineWords({ level: 'INFO', message: 'hello', list: [1], note: '<b>' }), { lead: 'hello', status: null, rest: ['list=[1]', 'note=<b>'] });
  // An event of the application that looks like one.
  assert.deepEqual(lineWords({ target: 'shop', message: 'request', status: 'sent' }), { lead: 'request', status: null, rest: ['status=sent'] });
  assert.deepEqual(lineWords('no object'), { lead: 'no object', status: null, rest: [] });
});

test('times have microseconds', () => {
  assert.equal(lineTime({ timestamp: '1970-01-01T00:00:01.000250Z' }), 1000.25);
  assert.ok(Number.isNaN(lineTime({})) && Number.isNaN(lineTime({ timestamp: 'soon' })));
});
