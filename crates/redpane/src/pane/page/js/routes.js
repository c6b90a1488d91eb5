// The table of routes, worst on top. A click chooses one: charts and lines are of it then.
import { Latest, get } from './api.js';
import { byId, el, setText, setTitle } from './dom.js';
import { clock, quantity } from './format.js';
import { blamed } from './words.js';

/** From here on a p99 is shown as slow: the limit of the rule. */
const SLOW_SECONDS = 1;

const COLUMNS = [
  ['requests_per_second', (value) => quantity(value, 'rate').replace('/s', '')],
  ['error_ratio', (value) => (value ? quantity(value, 'share') : '0')],
  ['p50_seconds', (value) => quantity(value, 'seconds')],
  ['p95_seconds', (value) => quantity(value, 'seconds')],
  ['p99_seconds', (value) => quantity(value, 'seconds')],
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
      if (changed.has('from') || changed.has('to')) this.#ofSelection();
      if (changed.has('method') || changed.has('route')) this.#draw();
    });
    this.#ofSelection();
  }

  /** Takes what a tick says, unless a part of time is chosen: then the table is of that. */
  show({ routes, totals, service_url, rules }) {
    this.url = service_url;
    this.blamed = this.view.now.from === null ? blamed(rules) : new Map();
    if (this.view.now.from !== null) return;
    this.list = routes;
    setText(byId('routes-range'), `last ${totals.window_seconds === 60 ? 'minute' : `${totals.window_seconds} s`}, worst first`);
    this.#draw();
  }

  async #ofSelection() {
    const { from, to } = this.view.now;
    if (from === null) return;
    try {
      const answer = await this.#latest.run((signal) => get('api/routes', { from, to }, signal));
      if (!answer || this.view.now.from !== from) return;
      this.list = answer.routes;
      // What rules say is of now, and not of the chosen time.
      this.blamed = new Map();
      setText(byId('routes-range'), `${clock(from)} to ${clock(to)}, worst first`);
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
      if (!list.some((other) => other.method === one.method && other.route === one.route)) list.unshift({ method: one.method, route: one.route, requests_per_second: 0, error_ratio: null });
    }
    while (this.rows.length < list.length) this.rows.push(this.#row());
    list.forEach((one, index) => this.#fill(this.rows[index], one, chosen(one)));
    this.rows.forEach(({ element }, index) => (element.hidden = index >= list.length));
    setText(byId('routes-empty'), list.length ? '' : this.view.now.from === null ? `No requests in the last minute. The next one appears here within a second${this.url ? `: curl ${this.url}/` : ''}.` : 'No requests in the chosen time.');
    byId('routes-empty').hidden = list.length > 0;
  }

  #row() {
    const row = { method: el('span', { class: 'method' }), route: el('span'), why: el('span', { class: 'why' }), cells: COLUMNS.map(([name]) => el('td', { class: name.slice(0, 3) })) };
    row.button = el('button', { type: 'button', 'aria-pressed': 'false' }, row.method, row.route, row.why);
    row.element = el('tr', { onclick: () => this.#choose(row.one) }, el('td', {}, row.button), ...row.cells);
    byId('routes').append(row.element);
    return row;
  }

  #fill(row, one, chosen) {
    row.one = one;
    setText(row.method, one.method);
    setText(row.route, one.route);
    row.button.setAttribute('aria-pressed', String(chosen));
    setTitle(row.button, `${one.method} ${one.route}: ${one.requests ?? 0} requests${one.probe ? ' (a probe: counted, not judged)' : ''}`);
    const blame = this.blamed.get(`${one.method} ${one.route}`);
    setText(row.why, blame?.words ?? '');
    row.why.hidden = !blame;
    row.element.dataset.blame = blame?.state ?? '';
    row.element.className = `${chosen ? 'selected' : ''} ${one.probe ? 'probe' : ''}`;
    COLUMNS.forEach(([name, say], index) => setText(row.cells[index], say(one[name])));
    row.cells[1].classList.toggle('bad', one.error_ratio > 0);
    row.cells[4].classList.toggle('slow', one.p99_seconds >= SLOW_SECONDS);
  }

  #choose({ method, route }) {
    const same = this.view.now.method === method && this.view.now.route === route;
    this.view.set(same ? { method: null, route: null } : { method, route });
  }
}
