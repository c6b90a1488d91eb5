import assert from 'node:assert/strict';
import test from 'node:test';
import { coveringRange, shownWindow } from '../../../crates/redpane/src/pane/page/js/ranges.js';
import { DEFAULTS, dockOf, formatView, parseView } from '../../../crates/redpane/src/pane/page/js/view.js';

test('a view comes back from its address as it was', () => {
  const view = {
    ...DEFAULTS, range: '3h', from: 1764400000000, to: 1764400060000, method: 'GET', route: '/hello/{name}', level: 'warn',
    search: 'tenant="acme & co" 100%', trace: 'a'.repeat(32), line: 12, find: 'orders', metrics: ['a_total', 'b'], dock: 'large',
  };
  assert.deepEqual(parseView(formatView(view)), view);
});

test('a view of nothing in particular has no query', () => {
  assert.equal(formatView({ ...DEFAULTS }), '');
  assert.deepEqual(parseView(''), { ...DEFAULTS });
});

test('what makes no sense is left out', () => {
  const cut = ['range=2h', 'from=5&to=4', 'from=5', 'from=x&to=9', 'level=loud', 'trace=xyz', 'line=-1', 'route=/only', 'dock=huge'];
  for (const query of cut) assert.deepEqual(parseView(query), { ...DEFAULTS }, query);
});

test('a chosen time that is long ago gets the range that holds it', () => {
  const now = 100_000_000;
  assert.equal(coveringRange('15m', null, now), '15m');
  assert.equal(coveringRange('15m', now - 60_000, now), '15m');
  assert.equal(coveringRange('15m', now - 3_600_000, now), '3h');
  assert.equal(coveringRange('24h', now - 60_000, now), '24h');
  assert.equal(coveringRange('15m', 0, now), '24h');
});

test('the charts of a young process are as wide as its life, but two minutes at least', () => {
  const end = 10_000_000;
  assert.deepEqual(shownWindow('15m', end, end - 30_000), [end - 120_000, end]);
  assert.deepEqual(shownWindow('15m', end, end - 300_000), [end - 300_000, end]);
  assert.deepEqual(shownWindow('15m', end, 0), [end - 900_000, end]);
  assert.deepEqual(shownWindow('3h', end, null), [end - 10_800_000, end]);
});

test('an old link to what has no history of its own shows everything', () => {
  assert.equal(parseView('?method=_OTHER&route=_other').route, null);
  assert.equal(parseView('?method=_OTHER&route=/').method, '_OTHER');
});

test('on a telephone the lines are closed, unless a link is about them', () => {
  const dock = (query, narrow) => {
    globalThis.matchMedia = () => ({ matches: narrow });
    return dockOf(parseView(query));
  };
  assert.deepEqual(['', '?range=3h', '?route=/&method=GET'].map((query) => dock(query, true)), ['closed', 'closed', 'closed']);
  for (const query of [`?trace=${'a'.repeat(32)}`, '?line=7', '?from=1&to=2', '?dock=open']) assert.equal(dock(query, true), 'open', query);
  assert.equal(dock('?trace=&dock=closed', true), 'closed');
  assert.equal(dock('', false), 'open');
});
