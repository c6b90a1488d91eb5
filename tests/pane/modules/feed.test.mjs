import assert from 'node:assert/strict';
import test from 'node:test';

const opened = [];
let now = 0;
Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true });
globalThis.performance = { now: () => now };
globalThis.EventSource = class extends EventTarget {
  static CLOSED = 2;
  readyState = 0;
  constructor(url) {
    super();
    opened.push(new URL(url).search);
  }
  close() {}
};

test('a feed that nobody has opened yet asks for nothing, and one that is silent asks again', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] });
  const { Feed } = await import('../../../crates/redpane/src/pane/page/js/feed.js');
  const feed = new Feed();
  const states = [];
  feed.addEventListener('status', ({ detail }) => states.push(detail.state));
  const seconds = (count) => { for (; count > 0; count -= 1) { now += 1000; t.mock.timers.tick(1000); } };
  // The page asks for its metrics first, which may take long.
  seconds(20);
  assert.deepEqual(opened, []);
  assert.equal(states.at(-1), 'lost', 'that there is no word is said');
  feed.open({ level: 'warn' });
  await new Promise((done) => setImmediate(done));
  assert.deepEqual(opened, ['?level=warn']);
  seconds(6);
  assert.deepEqual(opened, ['?level=warn', '?level=warn']);
});
