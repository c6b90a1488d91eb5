import assert from 'node:assert/strict';
import test from 'node:test';

const opened = [];
let now = 0;
Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true });
globalThis.performance = { now: () => now };
const sources = [];
globalThis.EventSource = class extends EventTarget {
  static CLOSED = 2;
  readyState = 0;
  constructor(url) {
    super();
    opened.push(new URL(url).search);
    sources.push(this);
  }
  close() {}
  refuse() {
    this.readyState = 2;
    this.dispatchEvent(new Event('error'));
  }
};
const settled = async () => { for (let turn = 0; turn < 20; turn += 1) await null; };
const seconds = (t, count) => { for (; count > 0; count -= 1) { now += 1000; t.mock.timers.tick(1000); } };

test('a feed that nobody has opened yet asks for nothing, and one that is silent asks again', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] });
  const { Feed } = await import('../../../crates/redpane/src/pane/page/js/feed.js');
  const feed = new Feed();
  const states = [];
  feed.addEventListener('status', ({ detail }) => states.push(detail.state));
  // The page asks for its metrics first, which may take long.
  seconds(t, 20);
  assert.deepEqual(opened, []);
  assert.equal(states.at(-1), 'lost', 'that there is no word is said');
  feed.open({ level: 'warn' });
  await settled();
  assert.deepEqual(opened, ['?level=warn']);
  seconds(t, 6);
  assert.deepEqual(opened, ['?level=warn', '?level=warn']);
});

test('where there is no room for a viewer it waits, asks for the state, and goes on by itself', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] });
  const { Feed } = await import('../../../crates/redpane/src/pane/page/js/feed.js');
  globalThis.fetch = async () => new Response('{"detail":"16 viewers watch"}', { status: 503, headers: { 'retry-after': '5' } });
  const feed = new Feed();
  const [states, looks] = [[], []];
  feed.addEventListener('status', ({ detail }) => states.push(`${detail.state} ${detail.words}`));
  feed.addEventListener('look', () => looks.push(now));
  feed.open({});
  await settled();
  sources.at(-1).refuse();
  await settled();
  assert.deepEqual(states, ['waiting Waiting: no room for more viewers'], 'it is not lost: the service answers');
  for (let second = 0; second < 24; second += 1) {
    seconds(t, 1);
    if (sources.at(-1).readyState === 0) sources.at(-1).refuse();
    await settled();
  }
  assert.ok(states.every((state) => state.startsWith('waiting')), states.join());
  assert.equal(looks.length, 3, 'at once, and every ten seconds or so');
  seconds(t, 5);
  const hello = new Event('hello');
  hello.data = '{}';
  sources.at(-1).dispatchEvent(hello);
  assert.equal(states.at(-1), 'live Live');
  // A service that is gone refuses nothing.
  globalThis.fetch = async () => { throw new TypeError('failed'); };
  sources.at(-1).refuse();
  await settled();
  assert.match(states.at(-1), /^lost No connection for /);
});
