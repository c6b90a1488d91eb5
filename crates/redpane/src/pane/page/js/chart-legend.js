// The names of a chart's columns, and their values at one moment.
import { bucketName } from './axes.js';
import { el, setText } from './dom.js';
import { clock, quantileOf, quantity, utc } from './format.js';
import { columnKey } from './history.js';

export class Legend {
  /** `at` is the element that says of which moment the values are. */
  constructor(kind, at) {
    this.kind = kind;
    this.at = at;
    this.list = el('ul', { class: 'legend' });
    this.entries = [...kind.series, ...(kind.beside ?? [])].map((one) => {
      const value = el('b', {}, '–');
      const swatch = one.color ? el('span', { class: 'swatch' }) : null;
      if (swatch) swatch.style.background = `var(--${one.color})`;
      this.list.append(el('li', {}, swatch, el('span', { class: 'label', title: one.label }, one.label), value));
      return { unit: kind.unit, ...one, value };
    });
    if (!kind.heat) return;
    // Shades are those between one request and the most of a cell.
    this.cell = el('b');
    this.most = el('span');
    this.scale = el('li', { class: 'scale', title: 'Requests of a cell' }, el('span', {}, '1'), el('span', { class: 'swatch' }), this.most);
    this.list.append(el('li', {}, this.cell), this.scale);
  }

  /** Shows the values of the step with this index, or with -1 the newest ones; gives them in words. */
  show(history, pointed) {
    const index = pointed >= 0 ? pointed : history.times.length - 1;
    const time = pointed >= 0 ? clock(history.times[index]) : '';
    this.#time(time, history.times[index]);
    for (const { key, unit, color, value } of this.entries) {
      const column = history.columns.get(key);
      const number = column?.values[index];
      const newest = pointed < 0 ? column?.notFinite : null;
      setText(value, newest ?? (color ? this.#say(number, unit, history, index) : quantity(number, unit)));
    }
    return [time || 'now', ...this.entries.map(({ label, value }) => `${label} ${value.textContent}`)].join(', ');
  }

  /** Shows the cell of a heat map below the pointer, or without one the slowest of the newest column that has any. */
  showCell(columns, bounds, ms, bucket) {
    const { column, row, most } = cellAt(columns, ms, bucket);
    const from = column && ms !== null ? clock(column.start) : '';
    this.#time(from, column?.start);
    const words = row < 0 ? '' : `${bucketName(row, bounds)}: ${quantity(column.counts[row] ?? 0, 'count')} in ${column.width / 1000} s`;
    setText(this.cell, words);
    setText(this.most, quantity(most, 'count'));
    this.scale.hidden = most === 0;
    return [from || 'now', words].filter(Boolean).join(', ');
  }

  #time(time, ms) {
    setText(this.at, time);
    this.at.title = time ? utc(ms) : '';
  }

  /** A quantile is as exact as the requests behind it. */
  #say(number, unit, history, index) {
    const { kind } = this;
    if (kind.ofRequests) return quantileOf(number, sum(history.heat[index]), history.bounds);
    if (!kind.bounds) return quantity(number, unit);
    const rate = history.columns.get(columnKey(kind.names[0], 'rate'))?.values[index];
    return quantileOf(number, rate === null || rate === undefined ? null : Math.round(rate * (history.step / 1000)), kind.bounds, unit);
  }
}

const sum = (counts) => counts?.reduce((all, one) => all + one, 0) ?? null;

/** The drawn column at a moment and the row of a bucket in it (or, without a moment, the slowest row of the newest), and the most that any cell has. Pure. */
export function cellAt(columns, ms, bucket) {
  const most = Math.max(0, ...columns.flatMap(({ counts }) => counts ?? []));
  if (ms === null) {
    const column = columns.findLast(({ counts }) => counts?.some(Boolean));
    return { column, row: column ? column.counts.findLastIndex(Boolean) : -1, most };
  }
  const column = columns.find(({ start, width, counts }) => counts && start <= ms && ms < start + width);
  return { column, row: column && bucket >= 0 && bucket < column.counts.length ? bucket : -1, most };
}
