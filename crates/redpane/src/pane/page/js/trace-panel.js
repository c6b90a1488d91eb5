// One request: what it was, where its time went, all it said. Opened by a click on a line.
import { Latest, get } from './api.js';
import { fieldList } from './fields.js';
import { byId, el, setWords } from './dom.js';
import { clock, duration, utc } from './format.js';
import { lineTime, lineWords } from './line-text.js';
import { withField } from './line-query.js';
import { waterfall } from './trace-model.js';
import { drawWaterfall } from './waterfall.js';

/** A request may still run, and spans come in batches of up to five seconds: a young trace is asked for again. */
const YOUNG_MS = 10_000;
const AGAIN_MS = 2500;
/** Asked for again so often at most: the clocks of the service and of the browser may differ. */
const AGAIN = 4;

/** A backtrace would push all other lines out of sight; unfolded, a line shows all of it. */
const LONGEST = 240;
function shortened(words) {
  let room = LONGEST;
  const some = [];
  for (const word of words) {
    if (word.length > room) return [...some, `${word.slice(0, room)} …`];
    some.push(word);
    room -= word.length + 1;
  }
  return some;
}

export class TracePanel {
  #latest = new Latest();
  #again = null;
  #asked = 0;

  /** `copies(trace, request)` gives the buttons that copy it. */
  constructor(view, copies) {
    Object.assign(this, { view, copies, box: byId('trace') });
    view.onChange((now, changed) => {
      if (changed.has('trace') || (changed.has('line') && !now.trace)) this.load();
      else if (changed.has('line')) this.#mark();
    });
  }

  get open() {
    return !this.box.hidden;
  }

  close() {
    this.view.set({ trace: null, line: null });
  }

  async load() {
    clearTimeout(this.#again);
    this.#asked = 0;
    const { trace, line } = this.view.now;
    const open = trace !== null || line !== null;
    this.box.hidden = !open;
    document.querySelector('.dock-body').classList.toggle('with-trace', open);
    if (!open) return void (this.shown = null);
    if (this.shown?.trace_id !== trace || trace === null) this.#frame(trace ? 'Trace' : 'Line', [], el('p', { class: 'empty' }, 'Loading'));
    try {
      if (trace === null) await this.#lineAlone(line);
      else await this.#trace(trace);
    } catch (error) {
      this.shown = null;
      this.#frame('Trace', [], el('p', { class: 'empty' }, error.status === 404 ? 'Nothing of this trace is held any more: the pane keeps the newest 16 MiB of lines.' : `It cannot be shown: ${error.message}.`));
    }
  }

  async #trace(id) {
    const answer = await this.#latest.run((signal) => get(`api/traces/${id}`, {}, signal));
    if (!answer) return;
    // What somebody unfolded meanwhile stays as it is where there is nothing new.
    const extent = ({ trace_id, lines, spans }) => [trace_id, lines.length, ...spans.map((span) => span.source)].join();
    const model = waterfall(answer);
    this.#askAgain(id, model.to);
    if (this.shown && extent(this.shown) === extent(answer)) return this.#mark();
    this.shown = answer;
    const { request } = model;
    const title = request ? `${request.method} ${request.path}` : (model.rows[0]?.name ?? 'Trace');
    const words = request ? lineWords(request) : null;
    const facts = [
      words ? el('span', { class: `status-${words.status}` }, words.statusText) : null,
      el('span', {}, duration((model.to - model.from) / 1000)),
      el('time', { title: utc(model.from) }, clock(model.from, true)),
      el('code', { title: 'trace_id' }, answer.trace_id),
      el('span', { class: 'copies' }, ...this.copies(answer, request)),
    ];
    const parts = [drawWaterfall(model, (span) => this.#lineOfSpan(span))];
    if (answer.spans.every((span) => span.source === 'access_line')) parts.push(el('p', { class: 'note' }, 'Made from the access line: no spans of this trace are held (they are exported with OTEL_EXPORTER_OTLP_ENDPOINT).'));
    parts.push(el('div', { class: 'trace-lines' }, ...model.lines.map((one) => this.#line(one))));
    if (answer.more) parts.push(el('p', { class: 'note' }, 'This trace has more lines or spans than are shown. Of its lines these are the newest.'));
    const { scrollTop } = this.box;
    this.#frame(title, facts, ...parts);
    this.box.scrollTop = scrollTop;
    this.#mark();
  }

  #askAgain(id, newest) {
    if (Date.now() - newest > YOUNG_MS || this.#asked >= AGAIN) return;
    this.#asked += 1;
    this.#again = setTimeout(() => this.view.now.trace === id && this.#trace(id).catch(() => {}), AGAIN_MS);
  }

  /** A line outside of any request has no trace: its fields are all there is. */
  async #lineAlone(id) {
    const answer = await this.#latest.run((signal) => get('api/lines', { before: id + 1, limit: 1 }, signal));
    if (!answer) return;
    const [entry] = answer.lines.filter((one) => one.id === id);
    this.shown = null;
    if (!entry) return this.#frame('Line', [], el('p', { class: 'empty' }, 'This line is no longer held.'));
    this.#frame(lineWords(entry.line).lead, [el('span', {}, 'outside of any request')], this.#fields(entry.line));
  }

  #frame(title, facts, ...parts) {
    const close = el('button', { type: 'button', class: 'small', title: 'Close: Esc', onclick: () => this.close() }, 'Close');
    this.box.replaceChildren(
      el('div', { class: 'trace-head' }, el('div', { class: 'trace-title' }, el('h3', {}, title), close), el('div', { class: 'trace-facts' }, ...facts)),
      ...parts,
    );
  }

  #line({ id, line, offset }) {
    const words = lineWords(line);
    const what = el('span', { class: 'what' });
    setWords(what, shortened([words.lead, words.statusText, words.took, ...words.rest].filter(Boolean)));
    const summary = el('summary', {}, el('span', { class: 'offset', title: `${clock(lineTime(line), true)}, ${line.timestamp}` }, `+${duration(Math.max(0, offset || 0))}`), el('span', { class: 'level' }, line.level ?? ''), what);
    const details = el('details', { 'data-level': line.level, 'data-id': id, 'data-span': line.span_id }, summary);
    // Fields are made when somebody looks at them: a trace may have two thousand lines.
    details.addEventListener('toggle', () => details.open && details.children.length === 1 && details.append(this.#fields(line)));
    return details;
  }

  #fields(line) {
    return fieldList(line, (key, value) => this.view.set({ search: withField(this.view.now.search, key, value), trace: null, line: null }));
  }

  #mark() {
    for (const details of this.box.querySelectorAll('details')) {
      const chosen = Number(details.dataset.id) === this.view.now.line;
      if (chosen && !details.classList.contains('chosen')) {
        details.open = true;
        details.scrollIntoView({ block: 'nearest' });
      }
      details.classList.toggle('chosen', chosen);
    }
  }

  #lineOfSpan(span) {
    const details = [...this.box.querySelectorAll('details')].find((one) => one.dataset.span === span.span_id);
    if (details) details.open = true;
    details?.scrollIntoView({ block: 'nearest' });
  }
}
