// What the keys do, and the page that says it.
import { byId, el } from './dom.js';

const KEYS = [
  ['/', 'search the lines'], ['space', 'pause and go on'], ['esc', 'close the trace, then drop the chosen time, then the filters'], ['e', 'errors only, and back'],
  ['l', 'lines: half, large, hidden'], ['m', 'find a metric'], ['1 2 3', '15 minutes, 3 hours, 24 hours'], ['← → on a chart', 'move; with Shift choose; Enter shows the lines'],
  ['↑ ↓ Enter on the lines', 'move and open'], ['?', 'these keys'],
];

/** `actions` has a function for each name below. */
export function keys(actions) {
  const dialog = byId('keys');
  dialog.append(el('h2', { id: 'keys-title' }, 'Keys'), el('dl', {}, ...KEYS.flatMap(([key, what]) => [el('dt', {}, el('kbd', {}, key)), el('dd', {}, what)])), el('form', { method: 'dialog' }, el('button', {}, 'Close')));
  const help = () => (dialog.open ? dialog.close() : dialog.showModal());
  byId('help').addEventListener('click', help);
  const byKey = { '/': actions.search, ' ': actions.pause, e: actions.errors, l: actions.size, m: actions.metric, 1: () => actions.range('15m'), 2: () => actions.range('3h'), 3: () => actions.range('24h'), '?': help };
  addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const writes = event.target.matches('input[type="search"], input[type="text"], textarea, select');
    if (event.key === 'Escape') {
      if (document.querySelector('dialog[open]')) return;
      if (writes) event.target.blur();
      else actions.escape();
      return;
    }
    // A focused button is pressed by the space bar, a radio chosen.
    const pressed = event.key === ' ' && event.target.matches('button, input, summary, a');
    const action = byKey[event.key];
    if (writes || pressed || !action || document.querySelector('dialog[open]')) return;
    event.preventDefault();
    action();
  });
}
