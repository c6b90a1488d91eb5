// The names of a chart's columns, and their values at one moment.
import { bucketName } from './axes.js';
import { el, setText } from './dom.js';
import { clock, quantity, utc } from './format.js';

export class Legend {
  constructor(kind) {
    this.kind = kind;
    this.list = el('ul', { class: 'legend' });
    this.entries = [...kind.series, ...(kind.beside ?? [])].map((one) => {
      const value = el('b', {}, '–');
      const swatch = one.color ? el('span', { class: 'swatch' }) : null;
      if (swatch) swatch.style.background = `var(--${one.color})`;
      this.list.append(el('li', {}, swatch, el('span', {}, one.label), value));
      return { unit: kind.unit, ...one, value };
    });
    this.at = el('li', { class: 'at' });
    this.list.append(this.at);
  }

  /** Shows the values of the step with this index, or with -1 the newest ones; gives them in words. */
  show(history, pointed) {
    const index = pointed >= 0 ? pointed : history.times.length - 1;
    const time = pointed >= 0 ? clock(history.times[index]) : '';
    for (const { key, unit, value } of this.entries) setText(value, quantity(history.columns.get(key)?.values[index], unit));
    const slowest = this.kind.heat ? slowestBucket(history.heat[index], history.bounds) : '';
    setText(this.at, [slowest, time].filter(Boolean).join(' · '));
    this.at.title = time ? utc(history.times[index]) : '';
    return [time || 'now', slowest, ...this.entries.map(({ label, value }) => `${label} ${value.textContent}`)].filter(Boolean).join(', ');
  }
}

function slowestBucket(counts, bounds) {
  const slowest = counts?.findLastIndex(Boolean) ?? -1;
  return slowest < 0 ? '' : `slowest ${bucketName(slowest, bounds)}: ${quantity(counts[slowest], 'count')}`;
}
