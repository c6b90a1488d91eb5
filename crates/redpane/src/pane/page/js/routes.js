// The table of routes, worst on top. A click chooses one: charts and lines are of it then.
import { Latest, get } from './api.js';
import { byId, el, setText, setTitle } from './dom.js';
import { moment, quantileOf, quantity, span } from './format.js';
import { blamed, routeName, shortRoute } from './words.js';

/** The history is of so many milliseconds at most. */
const HELD_MS = 24 * 3600 * 1000;

/** From here on a p99 is shown as slow: the limit of the rule. */
const SLOW_SECONDS = 1;

const COLUMNS = [
  ['requests_per_second', (value) => quantity(value, 'rate').replace('/s', '')],
  ['error_ratio', (value) => (value ? quantity(value, 'share') : '0')],
  ...['p50_seconds', 'p95_seconds', 'p99_seconds'].map((name) => [name, (value, { requests }, bounds) => quantileOf(value, requests, bounds)]),
];

export class Routes {
  #latest = new Latest();

  constructor(view, failed) {
    this.view = view;
    this.failed = failed;
    this.rows = [];
    this.list = [];
    /** What the firing rules say of the routes they blame, by method and route. */
    this.blamed = new Map();
    byId('route-clear').addEventListener('click', () => view.set({ method: null, route: null }));
    view.onChange((_, changed) => {
      if (changed.has('from') || changed.has('to')) this.load();
      if (changed.has('method') || changed.has('route')) this.#draw();
    });
    this.load();
  }

  /** Takes what a tick says, unless a part of time is chosen: then the table is of that. */
  show({ routes, totals, service_url, rules, bounds_seconds, started_ms, now_ms }) {
    Object.assign(this, { url: service_url, bounds: bounds_seconds, began: Math.max(started_ms, now_ms - HELD_MS), clock: now_ms });
    this.blamed = this.view.now.from === null ? blamed(rules) : new Map();
    if (this.view.now.from !== null) return;
    this.list = routes;
    setText(byId('routes-range'), `last ${totals.window_seconds === 60 ? 'minute' : `${totals.window_seconds} s`}, worst first`);
    this.#draw();
  }

  /** Asks for the routes of the chosen part of time, where there is one. */
  async load() {
    const { from, to } = this.view.now;
    if (from === null) return;
    try {
      const answer = await this.#latest.run((signal) => get('api/routes', { from, to }, signal));
      if (!answer || this.view.now.from !== from) return;
      this.list = answer.routes;
      this.recorded = answer.recorded_seconds > 0;
      // What rules say is of now, and not of the chosen time.
      this.blamed = new Map();
      setText(byId('routes-range'), `${span(from, to)}, worst first`);
      this.#draw();
    } catch (error) {
      this.failed(error);
    }
  }

  #draw() {
    const { method, route } = this.view.now;
    byId('route-clear').hidden = route === null;
    const chosen = (one) => one.method === method && one.route === route;
    // A chosen route stays in sight when it has no requests any more, and a guilty one as long as a rule names it.
    const list = this.list.slice();
    for (const one of [...this.blamed.values(), ...(route === null ? [] : [{ method, route }])].reverse()) {
      if (!list.some((other) => other.method === one.method && other.route === one.route)) list.unshift({ method: one.method, route: one.route, further_routes: one.further_routes, requests_per_second: 0, error_ratio: null });
    }
    while (this.rows.length < list.length) this.rows.push(this.#row());
    list.forEach((one, index) => this.#fill(this.rows[index], one, chosen(one)));
    this.rows.forEach(({ element }, index) => (element.hidden = index >= list.length));
    setText(byId('routes-empty'), list.length ? '' : this.#absence());
    byId('routes-empty').hidden = list.length > 0;
  }

  /** Why there is nothing: no request, or a time of which nothing is known. */
  #absence() {
    const { from } = this.view.now;
    if (from === null) return `No requests in the last minute. The next one appears here within a second${this.url ? `: curl ${this.url}/` : ''}.`;
    if (this.recorded) return 'No requests in the chosen time.';
    if (from > (this.clock ?? Date.now())) return 'The chosen time is still to come.';
    return `Not known: nothing of the chosen time is held.${this.began ? ` The history begins ${moment(this.began)}.` : ''}`;
  }

  #row() {
    const row = { method: el('span', { class: 'method' }), route: el('span'), why: el('span', { class: 'why' }), cells: COLUMNS.map(([name]) => el('td', { class: name.slice(0, 3) })) };
    row.button = el('button', { type: 'button', 'aria-pressed': 'false' }, row.method, ' ', row.route, ' ', row.why);
    row.element = el('tr', { onclick: () => this.#choose(row.one) }, el('td', {}, row.button), ...row.cells);
    byId('routes').append(row.element);
    return row;
  }

  #fill(row, one, chosen) {
    row.one = one;
    const further = Boolean(one.further_routes);
    setText(row.method, further ? '' : one.method);
    setText(row.route, further ? routeName(one) : shortRoute(one.route));
    row.button.setAttribute('aria-pressed', String(chosen));
    // They are nothing that a line or a series has.
    row.button.disabled = further;
    setTitle(row.button, `${further ? routeName(one) : `${one.method} ${one.route}`}${further ? ' without a history of their own' : ''}: ${one.requests ?? 0} requests${one.probe ? ' (a probe: counted, not judged)' : ''}`);
    const blame = this.blamed.get(`${one.method} ${one.route}`);
    setText(row.why, blame?.words ?? '');
    row.why.hidden = !blame;
    row.element.dataset.blame = blame?.state ?? '';
    row.element.className = `${chosen ? 'selected' : ''} ${one.probe ? 'probe' : ''} ${further ? 'further' : ''}`;
    COLUMNS.forEach(([name, say], index) => setText(row.cells[index], say(one[name], one, this.bounds)));
    row.cells[1].classList.toggle('bad', one.error_ratio > 0);
    row.cells[4].classList.toggle('slow', one.p99_seconds >= SLOW_SECONDS);
  }

  #choose({ method, route, further_routes }) {
    if (further_routes) return;
    const same = this.view.now.method === method && this.view.now.route === route;
    this.view.set(same ? { method: null, route: null } : { method, route });
  }
}
