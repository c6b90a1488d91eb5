// Columns of numbers over time, as the charts draw them: loaded at once, then one point with each tick. Pure.

/** Identifies one column: a series has several labels. */
export const columnKey = (name, label) => `${name}\u0000${label}`;

/** The service leaves out as many seconds where its clock is set back a little: it has them already. */
const OVERLAP_MS = 10_000;

export class History {
  constructor() {
    this.clear();
  }

  clear() {
    /** Start of each step, in Unix milliseconds. */
    this.times = [];
    this.step = 1000;
    /** Points that are kept. */
    this.size = 0;
    this.columns = new Map();
    this.bounds = [];
    /** For each step the requests in each bucket, or null. */
    this.heat = [];
  }

  /** Takes an answer of `api/series` in place of what was there. */
  load(answer) {
    this.clear();
    this.step = answer.step_seconds * 1000;
    this.size = answer.points;
    this.times = Array.from({ length: answer.points }, (_, index) => answer.from_ms + index * this.step);
    for (const { name, label, unit, values, not_finite } of answer.series) {
      this.columns.set(columnKey(name, label), { name, label, unit, values: values.slice(), notFinite: not_finite });
    }
    this.bounds = answer.heatmap?.bounds_seconds ?? [];
    this.heat = answer.heatmap?.counts.slice() ?? this.times.map(() => null);
  }

  get end() {
    return this.times.length ? this.times[this.times.length - 1] + this.step : 0;
  }

  /**
   * Adds the second of a tick and lets go of the oldest one. False where it does not follow the last one:
   * then there is a gap, which only the service can fill.
   */
  append(tick) {
    if (this.step !== 1000 || !this.times.length || tick.at_ms > this.end) return false;
    // The feed and the answer that was loaded overlap at their seam. Far back the clock was set back.
    if (tick.at_ms < this.end) return this.end - tick.at_ms <= OVERLAP_MS;
    this.times.push(tick.at_ms);
    const length = this.times.length;
    for (const { name, label, unit, value, not_finite } of tick.series) {
      const key = columnKey(name, label);
      if (!this.columns.has(key)) {
        this.columns.set(key, { name, label, unit, values: new Array(length - 1).fill(null) });
      }
      this.columns.get(key).values.push(value);
      this.columns.get(key).notFinite = not_finite;
    }
    for (const { values } of this.columns.values()) {
      if (values.length < length) values.push(null);
    }
    this.heat.push(tick.heatmap ?? null);
    while (this.times.length > this.size) {
      this.times.shift();
      this.heat.shift();
      this.columns.forEach(({ values }) => values.shift());
    }
    return true;
  }

  /** The columns of a series in the order in which the service names them. */
  of(name) {
    return [...this.columns.values()].filter((column) => column.name === name);
  }

  values(name, label) {
    return this.columns.get(columnKey(name, label))?.values ?? this.times.map(() => null);
  }

  /** Index of the step that a moment lies in, or -1. */
  indexAt(ms) {
    const index = Math.floor((ms - this.times[0]) / this.step);
    return index >= 0 && index < this.times.length ? index : -1;
  }
}

/** Places of values with nothing known before and behind them: a line between two values does not show them. Null without any. */
export function isolated(values, first = 0, last = values.length - 1) {
  const known = (index) => values[index] !== null && values[index] !== undefined;
  const alone = [];
  for (let index = first; index <= last; index += 1) {
    if (known(index) && !known(index - 1) && !known(index + 1)) alone.push(index);
  }
  return alone.length ? alone : null;
}

/** Sums from the top down, so that areas drawn one after the other over each other look stacked. */
export function stack(lists) {
  const sums = [];
  let above = null;
  for (const list of lists.slice().reverse()) {
    above = list.map((value, index) => (value === null && !above?.[index] ? value : (value ?? 0) + (above?.[index] ?? 0)));
    sums.unshift(above);
  }
  return sums;
}
