// A list of lines of which only those in sight exist: ten thousand rows cost as much as forty.
import { el, oncePerFrame, setText, setWords } from './dom.js';
import { clock, utc } from './format.js';
import { lineTime, lineWords } from './line-text.js';

/** The height of a row in pixels, as `lines.css` has it. */
const ROW = 22;
/** Rows beyond both edges, so that scrolling shows no gap before the next frame. */
const SPARE = 6;

/** A row has one line. */
const oneLine = (text) => text.replace(/\s*\n\s*/g, ' ⏎ ');

/** So much of the words as a row may have room for. */
function shortened(words) {
  let room = 600;
  return words.map((word) => {
    const part = oneLine(word.slice(0, Math.max(0, room)));
    room -= part.length + 1;
    return part;
  }).filter(Boolean);
}

export class LineList {
  /** `onOpen(entry)` for a click or Enter; `onEnd()` when the oldest row comes into sight. */
  constructor(box, space, { onOpen, onEnd }) {
    Object.assign(this, { box, space, onOpen, onEnd, lines: [], rows: [], chosen: null });
    this.render = oncePerFrame(() => this.#render());
    box.addEventListener('scroll', this.render, { passive: true });
    box.addEventListener('keydown', (event) => this.#key(event));
    new ResizeObserver(this.render).observe(box);
  }

  /** Shows these, the newest first. Rows that are being read keep their place when there are new ones above. */
  show(lines) {
    const top = this.lines[Math.floor(this.box.scrollTop / ROW)];
    const { scrollTop } = this.box;
    this.lines = lines;
    this.space.style.height = `${lines.length * ROW}px`;
    if (top && scrollTop > ROW) {
      const moved = this.indexOf(top.id);
      if (moved >= 0) this.box.scrollTop = moved * ROW + (scrollTop % ROW);
    }
    this.render();
  }

  /** Marks the line with this id. */
  choose(id) {
    this.chosen = id;
    this.render();
  }

  /** Place of an id; ids fall from first to last. */
  indexOf(id) {
    let [low, high] = [0, this.lines.length - 1];
    while (low <= high) {
      const middle = (low + high) >> 1;
      const { id: here } = this.lines[middle];
      if (here === id) return middle;
      if (here > id) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  #render() {
    const first = Math.max(0, Math.floor(this.box.scrollTop / ROW) - SPARE);
    const last = Math.min(this.lines.length, Math.ceil((this.box.scrollTop + this.box.clientHeight) / ROW) + SPARE);
    while (this.rows.length < last - first) this.rows.push(this.#row());
    this.rows.forEach((row, index) => {
      const entry = first + index < last ? this.lines[first + index] : null;
      row.element.hidden = !entry;
      if (entry) this.#fill(row, entry, first + index);
    });
    const active = this.rows.find(({ entry, element }) => !element.hidden && entry.id === this.chosen);
    if (active) this.box.setAttribute('aria-activedescendant', active.element.id);
    else this.box.removeAttribute('aria-activedescendant');
    if (last === this.lines.length && last > 0) this.onEnd();
  }

  #row() {
    const row = {};
    const parts = { when: el('span', { class: 'when' }), level: el('span', { class: 'level' }), status: el('span'), took: el('span', { class: 'when' }), lead: el('span', { class: 'lead' }), rest: el('span', { class: 'rest' }), id: el('span', { class: 'id' }) };
    const what = el('span', { class: 'what' }, parts.lead, ' ', parts.status, ' ', parts.took, ' ', parts.rest);
    row.element = el('div', { class: 'row', role: 'option', id: `row-${this.rows.length}`, onclick: () => this.onOpen(row.entry) }, parts.when, parts.level, what, parts.id);
    this.space.append(row.element);
    return Object.assign(row, parts);
  }

  #fill(row, entry, index) {
    row.element.style.top = `${index * ROW}px`;
    row.element.classList.toggle('active', entry.id === this.chosen);
    row.element.setAttribute('aria-selected', String(entry.id === this.chosen));
    row.element.setAttribute('aria-posinset', index + 1);
    row.element.setAttribute('aria-setsize', this.lines.length);
    if (row.entry === entry) return;
    row.entry = entry;
    const { line } = entry;
    const words = lineWords(line);
    const time = lineTime(line);
    row.element.dataset.level = line.level ?? '';
    setText(row.when, Number.isNaN(time) ? '' : clock(time, true));
    row.when.title = Number.isNaN(time) ? '' : utc(time);
    setText(row.level, line.level ?? '');
    setText(row.lead, oneLine(words.lead));
    setText(row.status, words.statusText ?? '');
    row.status.className = words.status ? `status-${words.status}` : '';
    setText(row.took, words.took ?? '');
    setWords(row.rest, shortened(words.rest));
    setText(row.id, line.trace_id?.slice(0, 8) ?? '');
  }

  #key(event) {
    const page = Math.max(1, Math.floor(this.box.clientHeight / ROW) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.key === 'Enter' && this.indexOf(this.chosen) >= 0) this.onOpen(this.lines[this.indexOf(this.chosen)]);
    else if (event.key in steps && this.lines.length) {
      const next = Math.min(this.lines.length - 1, Math.max(0, this.indexOf(this.chosen) + steps[event.key]));
      this.chosen = this.lines[next].id;
      const top = next * ROW;
      if (top < this.box.scrollTop) this.box.scrollTop = top;
      if (top + ROW > this.box.scrollTop + this.box.clientHeight) this.box.scrollTop = top + ROW - this.box.clientHeight;
      this.render();
    } else return;
    event.preventDefault();
  }
}
