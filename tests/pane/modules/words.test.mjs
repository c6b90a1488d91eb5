import assert from 'node:assert/strict';
import test from 'node:test';
import { choose } from '../../../crates/redpane/src/pane/page/js/metric-choice.js';
import { blamed, routeName, ruleNumbers, stateWords } from '../../../crates/redpane/src/pane/page/js/words.js';

const totals = { requests: 10, requests_per_second: 2, errors_per_second: 0, error_ratio: 0, p99_seconds: 0.01 };
const rule = (title, state, since_ms, detail = `${title} it is`) => ({ title, state, since_ms, detail });

test('all is well, in words and numbers', () => {
  const { title, detail } = stateWords({ state: 'ok', rules: [rule('a', 'ok', null)], totals }, 0);
  assert.equal(title, 'OK');
  assert.equal(detail, 'All 1 rules are quiet. 2/s in the last minute, none of them failed, p99 10 ms.');
});

test('the worst rule comes first, and since when', () => {
  const now = 1_000_000;
  const rules = [rule('slow', 'warning', 1000), rule('errors', 'burning', now - 250_000), rule('quiet', 'ok', null)];
  const { title, since, detail } = stateWords({ state: 'burning', rules, totals }, now);
  assert.equal(title, 'Burning: errors');
  assert.match(since, /^since \d\d:\d\d:\d\d \(4 m 10 s\)$/);
  assert.equal(detail, 'errors it is. Also: slow.');
});

const checkout = { method: 'GET', route: '/checkout', requests: 40, errors: 12, slow: null, window_seconds: 120 };

test('the headline says where, and since when it is so now', () => {
  const now = 1_000_000;
  const rules = [
    { ...rule('errors', 'burning', now - 5000, 'errors it is; most by GET /checkout'), route: checkout },
    { ...rule('budget', 'burning', now - 3_600_000), route: checkout },
    rule('lost', 'warning', now - 9000),
    { ...rule('slow', 'warning', now - 8000), route: { ...checkout, route: '/report', slow: 3, window_seconds: 300 } },
  ];
  const { title, since_ms, detail } = stateWords({ state: 'burning', rules, totals }, now);
  assert.equal(title, 'Burning: GET /checkout · errors');
  assert.equal(since_ms, now - 5000);
  assert.equal(detail, 'errors it is; most by GET /checkout. Also: budget, slow (GET /report), lost.');
  const guilty = [...blamed(rules)].map(([name, { state, words }]) => [name, state, words]);
  assert.deepEqual(guilty, [['GET /checkout', 'burning', '12 of 40 failed in 2 m'], ['GET /report', 'warning', '3 of 40 were slow in 5 m']]);
  assert.equal(blamed([{ ...rules[0], state: 'ok' }]).size, 0);
});

test('a rule that is quiet in spite of its number says why', () => {
  assert.equal(ruleNumbers({ value: 333, threshold: 14.4, unit: 'times', reason: 'fewer than 5 errors' }), 'fewer than 5 errors');
});

test('a rule has its numbers in its unit', () => {
  assert.equal(ruleNumbers({ value: 12, threshold: 0, unit: 'requests' }), '12 requests (limit 0)');
  assert.equal(ruleNumbers({ value: 1, threshold: 0, unit: 'requests' }), '1 request (limit 0)');
  assert.equal(ruleNumbers({ value: 1.31, threshold: 1, unit: 'seconds' }), '1.31 s (limit 1 s)');
  assert.equal(ruleNumbers({ value: null, threshold: 1, unit: 'seconds' }), 'nothing to judge by');
});

test('pinned metrics and own ones are shown, known ones are found by name', () => {
  const metric = (name, more) => ({ name, pinned: false, recorded: true, ...more });
  const all = [metric('b_total', { pinned: true }), metric('a_total'), metric('full', { recorded: false }), metric('process_open_fds')];
  const names = (metrics) => metrics.map(({ name }) => name);
  assert.deepEqual(names(choose(all, { find: '', metrics: [] }).shown), ['b_total', 'a_total']);
  assert.deepEqual(names(choose(all, { find: 'FDS', metrics: [] }).shown), ['process_open_fds']);
  assert.deepEqual(names(choose(all, { find: '', metrics: ['process_open_fds', 'gone'] }).shown), ['process_open_fds']);
});

test('what has no history of its own is so many further routes', () => {
  const other = { method: '_OTHER', route: '_other', further_routes: 18, requests: 50, errors: 3, slow: null, window_seconds: 120 };
  assert.deepEqual([routeName(other), routeName({ ...other, further_routes: 1 }), routeName(checkout)], ['18 further routes', '1 further route', 'GET /checkout']);
  const rules = [{ ...rule('errors', 'burning', 1000), route: other }];
  assert.equal(stateWords({ state: 'burning', rules, totals }, 2000).title, 'Burning: 18 further routes · errors');
  assert.ok(blamed(rules).has('_OTHER _other'), 'it is found in the table');
});

test('nothing is said to be good before there was a request', () => {
  const { title, since, idle } = stateWords({ state: 'ok', rules: [rule('a', 'ok', null)], totals: { ...totals, requests: 0, requests_since_start: 0 }, started_ms: 1000 }, 6000);
  assert.deepEqual([title, since, idle], ['No requests yet', 'started 5 s ago', true]);
  const later = stateWords({ state: 'ok', rules: [], totals: { ...totals, requests: 0, requests_since_start: 3 }, started_ms: 1000 }, 6000);
  assert.deepEqual([later.title, later.idle], ['OK', undefined]);
});

test('a p99 of few requests or above all bounds is no exact time', () => {
  const bounds_seconds = [0.1, 0.5, 1, 10];
  const { detail } = stateWords({ state: 'ok', rules: [], totals: { ...totals, p99_seconds: 0.498 }, bounds_seconds }, 0);
  assert.match(detail, /p99 ≤ 500 ms\.$/);
  const slow = { value: 1.675, threshold: 1, unit: 'seconds', reason: null, requests: 25 };
  assert.equal(ruleNumbers(slow, bounds_seconds), '≤ 10 s (limit 1 s)');
  assert.equal(ruleNumbers({ ...slow, requests: 400 }, bounds_seconds), '1.68 s (limit 1 s)');
  assert.equal(ruleNumbers({ ...slow, value: 10, requests: 400 }, bounds_seconds), '> 10 s (limit 1 s)');
});

test('a long route does not take the room of what is said of it', () => {
  const route = `/long/${'segment/'.repeat(26)}`;
  const rules = [{ ...rule('errors', 'burning', 1000, `1 of 2; most by GET ${route} (1 of 2)`), route: { ...checkout, route } }];
  const { title, detail } = stateWords({ state: 'burning', rules, totals }, 2000);
  assert.ok(title.length < 90 && detail.length < 100, `${title} ${detail}`);
  assert.match(title, /^Burning: GET \/long\/segment.*….*segment\/ · errors$/);
});
