// What is looked at: range, selection, route, filters, open trace. All of it is in the address, so that a reload or a
// colleague sees the same.
import { RANGES } from './ranges.js';

export const LEVELS = ['error', 'warn', 'info', 'debug', 'trace'];
const SIZES = ['open', 'closed', 'large'];

export const DEFAULTS = Object.freeze({
  range: '15m',
  /** The selected part of time in Unix milliseconds, or null. */
  from: null,
  to: null,
  method: null,
  route: null,
  level: '',
  /** The text of the search field, with `field=value` words in it. */
  search: '',
  trace: null,
  /** The line that was clicked, by its id: of the trace, or alone where it belongs to no request. */
  line: null,
  /** The text by which metrics are found, and those that were chosen by hand. */
  find: '',
  metrics: [],
  /** Null is as the screen has room: open, but on a telephone closed unless it is lines that are looked at. */
  dock: null,
});

const moment = (text) => (/^\d{1,15}$/.test(text ?? '') ? Number(text) : null);
const oneOf = (list, text, otherwise) => (list.includes(text) ? text : otherwise);

/** Reads a query string. What makes no sense is left out rather than shown as an error: links get cut and edited. */
export function parseView(query) {
  const given = new URLSearchParams(query);
  const view = { ...DEFAULTS };
  view.range = oneOf(Object.keys(RANGES), given.get('range'), DEFAULTS.range);
  view.from = moment(given.get('from'));
  view.to = moment(given.get('to'));
  if (view.from === null || view.to === null || view.from >= view.to) view.from = view.to = null;
  view.method = given.get('method');
  view.route = given.get('route');
  // What has no history of its own is nothing to look at alone.
  if (!view.method || !view.route || (view.method === '_OTHER' && view.route === '_other')) view.method = view.route = null;
  view.level = oneOf(LEVELS, given.get('level'), '');
  view.search = (given.get('search') ?? '').slice(0, 1000);
  const trace = (given.get('trace') ?? '').toLowerCase();
  view.trace = /^[0-9a-f]{32}$/.test(trace) ? trace : null;
  view.line = moment(given.get('line'));
  view.find = (given.get('find') ?? '').slice(0, 100);
  view.metrics = given.getAll('metric').slice(0, 6);
  view.dock = oneOf(SIZES, given.get('dock'), null);
  return view;
}

/** The query string of a view: only what differs from the defaults, always in the same order. */
export function formatView(view) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(view)) {
    if (name === 'metrics') value.forEach((metric) => query.append('metric', metric));
    else if (value !== DEFAULTS[name] && value !== null) query.set(name, String(value));
  }
  const text = query.toString();
  return text ? `?${text}` : '';
}

/** Whether a view is about lines: a part of time, a trace, one line. */
const ofLines = ({ from, trace, line }) => from !== null || trace !== null || line !== null;

/** The size of the part with the lines. */
export const dockOf = (view) => view.dock ?? (matchMedia('(max-width: 640px)').matches && !ofLines(view) ? 'closed' : 'open');

/** What a view needs so that the lines are seen. */
export const withLines = (view) => ({ dock: dockOf(view) === 'closed' ? 'open' : view.dock });

/** The view of this window. `changed` listeners get the view and a set of the names that are different now. */
export class View {
  #listeners = [];

  constructor() {
    this.now = parseView(location.search);
    addEventListener('popstate', () => this.#take(parseView(location.search)));
  }

  onChange(listener) {
    this.#listeners.push(listener);
  }

  /** Changes some of it. `step` makes the change one that the browser's back button undoes. */
  set(changes, step = true) {
    const next = { ...this.now, ...changes };
    const address = formatView(next) || location.pathname;
    if (address !== (location.search || location.pathname)) {
      history[step ? 'pushState' : 'replaceState'](null, '', address);
    }
    this.#take(next);
  }

  #take(next) {
    const before = this.now;
    this.now = next;
    const same = (name) => String(before[name]) === String(next[name]);
    const changed = new Set(Object.keys(DEFAULTS).filter((name) => !same(name)));
    if (changed.size) this.#listeners.forEach((listener) => listener(next, changed));
  }
}
