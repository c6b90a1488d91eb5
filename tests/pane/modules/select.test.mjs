import assert from 'node:assert/strict';
import test from 'node:test';
import { select } from '../../../crates/redpane/src/pane/page/js/chart-select.js';

/** A plot of 100 pixels that shows 100 seconds, and what was chosen on it. */
function plotted() {
  const chosen = [];
  const over = Object.assign(new EventTarget(), {
    clientWidth: 100, clientHeight: 50, captured: null,
    getBoundingClientRect: () => ({ left: 10, width: 100 }),
    setPointerCapture: (id) => (over.captured = id),
  });
  const plot = { over, hooks: {}, cursor: { left: -10 }, marked: 0, posToVal: (left) => left * 1000, setCursor: () => {}, setSelect: ({ width }) => (plot.marked = width) };
  select(plot, new EventTarget(), { history: { step: 1000 }, onSelect: (...part) => chosen.push(part) });
  const send = (type, clientX, more) => over.dispatchEvent(Object.assign(new Event(type), { clientX, button: 0, isPrimary: true, pointerType: 'mouse', pointerId: 7, ...more }));
  return { plot, chosen, send };
}

test('a drag is of the chart on which it began, wherever it ends', () => {
  const { plot, chosen, send } = plotted();
  send('pointerdown', 30);
  assert.equal(plot.over.captured, 7, 'no other chart hears of it');
  send('pointermove', 60);
  assert.equal(plot.marked, 30);
  // Past the right edge.
  send('pointerup', 900);
  assert.deepEqual([chosen, plot.marked], [[[20_000, 100_000]], 0]);
});

test('a click, another button and a drag that was broken off choose nothing', () => {
  const { chosen, send } = plotted();
  send('pointerdown', 30);
  send('pointerup', 32);
  send('pointerdown', 30, { button: 2 });
  send('pointerup', 80, { button: 2 });
  send('pointerdown', 30);
  send('pointercancel', 60);
  send('pointerup', 80);
  assert.deepEqual(chosen, []);
});
