// The lines: live as they are written, or exactly those of the chosen part of time; filtered by the service.
import { Latest, address, get } from './api.js';
import { byId, el, setText } from './dom.js';
import { digits, moment, short, span } from './format.js';
import { shortRoute } from './words.js';
import { LineBuffer } from './line-buffer.js';
import { LineList } from './line-list.js';
import { formatField, lineParameters, parseSearch, searchNote, withoutField } from './line-query.js';

const PAGE = 300;

export class LinesPanel {
  #latest = new Latest();
  #older = null;
  #loading = false;

  constructor(view, failed) {
    Object.assign(this, { view, failed, buffer: new LineBuffer(), held: false, paused: false, unseen: 0, dropped: 0, words: 'Loading' });
    this.box = byId('list');
    this.list = new LineList(this.box, byId('list-space'), { onOpen: (entry) => this.#open(entry), onEnd: () => this.#loadOlder() });
    // Rows that move away below the pointer cannot be clicked: they stand still while it is among them.
    this.box.addEventListener('pointerenter', (event) => event.pointerType === 'mouse' && this.#hold(true));
    this.box.addEventListener('pointerleave', () => this.#hold(false));
    view.onChange((now, changed) => {
      if (['from', 'to', 'level', 'search', 'method', 'route'].some((name) => changed.has(name))) this.load();
      if (changed.has('line')) this.list.choose(now.line);
      this.#chips();
    });
    this.list.choose(view.now.line);
    this.#chips();
  }

  get live() {
    return this.view.now.from === null;
  }

  /** The parameters of `api/lines` for what is shown. */
  parameters() {
    const { from, to } = this.view.now;
    return { from, to, ...lineParameters(this.view.now) };
  }

  url() {
    return address('api/lines', { ...this.parameters(), limit: 1000 });
  }

  /** Asks for the newest lines of the filter; those before `nextId` in a live view, whose feed brings the others. */
  async load(nextId = null) {
    this.#loading = true;
    this.#older = null;
    this.unseen = 0;
    this.dropped = 0;
    // The lines of before stay until there are others: a list that blinks with each letter cannot be read.
    this.words = this.list.lines.length ? '' : 'Loading';
    this.arrived = [];
    this.#say();
    try {
      const answer = await this.#latest.run((signal) => get('api/lines', { ...this.parameters(), limit: PAGE, before: nextId }, signal));
      if (!answer) return;
      this.buffer = new LineBuffer();
      this.buffer.addOlder(answer.lines);
      this.buffer.add(this.arrived);
      this.#older = answer.more ? answer.next_before : null;
      this.oldest = answer.oldest_line_ms;
      this.words = '';
      this.box.scrollTop = 0;
    } catch (error) {
      this.words = `The lines cannot be shown: ${error.message}.`;
      this.buffer.clear();
      if (!error.status) this.failed(error);
    }
    this.#loading = false;
    this.#show();
  }

  /** Lines of the feed. */
  add({ lines }) {
    if (!this.live) return;
    if (this.#loading) return void this.arrived.push(...lines);
    const fresh = this.buffer.add(lines);
    if (this.held || this.paused) this.unseen += fresh;
    this.#show();
  }

  /** The feed left lines out: more matched than a person could read. */
  lost({ lines }) {
    if (this.live) this.dropped += lines;
    this.#say();
  }

  pause(is) {
    this.paused = is;
    if (!is) this.unseen = 0;
    this.#show();
  }

  #hold(is) {
    this.held = is;
    if (!is && !this.paused) this.unseen = 0;
    this.#show();
  }

  #show() {
    const still = (this.held || this.paused) && this.live && this.list.lines.length && !this.words && this.unseen;
    if (!still) this.list.show(this.buffer.lines);
    this.#say();
  }

  async #loadOlder() {
    if (this.#older === null || this.#loading || this.buffer.full) return;
    const before = this.#older;
    this.#older = null;
    try {
      const answer = await this.#latest.run((signal) => get('api/lines', { ...this.parameters(), limit: 1000, before }, signal));
      if (!answer) return;
      this.buffer.addOlder(answer.lines);
      this.#older = answer.more ? answer.next_before : null;
      this.#show();
    } catch (error) {
      this.#older = before;
      this.failed(error);
    }
  }

  #open({ id, line }) {
    this.view.set({ trace: /^[0-9a-f]{32}$/.test(line.trace_id ?? '') ? line.trace_id : null, line: id });
  }

  #say() {
    const { length } = this.buffer.lines;
    const parts = [];
    if (!this.words) parts.push(this.buffer.full ? `the newest ${short(length)} shown` : `${length}${this.#older === null ? '' : '+'} ${length === 1 ? 'line' : 'lines'}`);
    if (this.unseen) parts.push(`${this.unseen} new, ${this.paused ? 'paused' : 'held while you point at them'}`);
    if (this.dropped) parts.push(`${short(this.dropped)} dropped for you: narrow the filter to see all`);
    setText(byId('lines-note'), parts.join(' · '));
    const { from, level, search, route } = this.view.now;
    const filtered = level || search || route;
    const nothing = this.live ? (filtered ? 'No line matches yet. New ones appear as they are written.' : 'No lines yet. They appear as they are written.') : this.oldest > from ? `No lines: the oldest that is held is of ${moment(this.oldest)}.` : 'No lines in the chosen time.';
    setText(byId('list-empty'), this.words || (length ? '' : nothing));
    byId('list-empty').hidden = !this.words && length > 0;
    byId('list-space').hidden = Boolean(this.words);
  }

  /** What is filtered by, each with a way to take it off. */
  #chips() {
    const { from, to, route, method, search } = this.view.now;
    const chips = [];
    const chip = (text, changes, whole = text) => chips.push(el('li', {}, el('button', { type: 'button', class: 'small', title: `Take off: ${whole}`, onclick: () => this.view.set(changes) }, text)));
    if (from !== null) chip(`${span(from, to)} (${digits((to - from) / 1000)} s)`, { from: null, to: null });
    if (route !== null) chip(`${method} ${shortRoute(route)}`, { method: null, route: null }, `${method} ${route}`);
    parseSearch(search).fields.forEach(({ key, value }, number) => chip(formatField(key, value), { search: withoutField(search, number) }));
    byId('chips').replaceChildren(...chips);
    setText(byId('search-note'), searchNote(search));
  }
}
