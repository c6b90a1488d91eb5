// All charts over one history: loaded once, one point with each tick, drawn a few in each frame.
import { Latest, get } from './api.js';
import { CHARTS, CHART_NAMES, seriesName } from './chart-kinds.js';
import { Chart } from './chart.js';
import { History } from './history.js';
import { coveringRange, shownWindow } from './ranges.js';
import { withLines } from './view.js';

/** Milliseconds of a frame that may go into charts. */
const BUDGET = 7;

export class Board {
  #latest = new Latest();
  #waiting = [];
  #drawing = false;

  /** `copy(kind)` copies a chart's query, `failed(error)` is told when there is no history to be had. */
  constructor(view, { copy, failed }) {
    this.view = view;
    this.history = new History();
    this.failed = failed;
    this.paused = false;
    this.charts = new Map();
    this.metrics = [];
    /** The range that was asked for last. */
    this.loaded = null;
    /** Questions that are not answered yet. */
    this.loads = 0;
    this.serverNow = Date.now();
    /** When the process started, in Unix milliseconds of its clock. */
    this.started = null;
    this.context = {
      history: this.history, copy, sync: 'pane',
      window: () => this.window(),
      selection: () => (view.now.from === null ? null : [view.now.from, view.now.to]),
      onSelect: (from, to) => view.set({ from, to, trace: null, line: null, ...withLines(view.now) }),
    };
    for (const figure of document.querySelectorAll('figure[data-chart]')) {
      this.charts.set(figure, new Chart(figure, CHARTS[figure.dataset.chart], this.context));
    }
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.draw());
    view.onChange((now, changed) => {
      if (['range', 'method', 'route'].some((name) => changed.has(name))) this.load();
      if (changed.has('from') || changed.has('to')) {
        if (this.range() !== this.loaded) this.load();
        else this.draw();
      }
    });
  }

  range() {
    return coveringRange(this.view.now.range, this.view.now.from, this.serverNow);
  }

  /** What the time axis shows, in Unix milliseconds. */
  window() {
    const end = this.history.end || this.serverNow;
    return shownWindow(this.range(), end, this.started);
  }

  /** Names of the series that the feed has to send. */
  names() {
    return [...new Set([...CHART_NAMES, ...this.metrics.map(seriesName)])].slice(0, 16);
  }

  /** Asks for the history of what is shown; several changes at once ask once. */
  async load() {
    if (this.asked) return;
    this.asked = true;
    this.loads += 1;
    await null;
    this.asked = false;
    this.loaded = this.range();
    const { method, route } = this.view.now;
    try {
      const answer = await this.#latest.run((signal) => get('api/series', { name: this.names(), range: this.loaded, method, route }, signal));
      if (!answer) return;
      this.history.load(answer);
      this.onLoad?.();
      this.draw();
    } catch (error) {
      this.failed(error);
    } finally {
      this.loads -= 1;
    }
  }

  tick(tick) {
    this.serverNow = tick.now_ms;
    this.started = tick.started_ms;
    if (this.paused) return;
    const { step, end, columns } = this.history;
    const known = columns.size;
    // Seconds cannot be added to longer steps: those are asked for when one is over.
    const behind = step === 1000 ? !this.history.append(tick) : tick.at_ms + 1000 >= end + step;
    // A page that was opened in the first second of a process got a history without any.
    if (behind && !this.loads) return void this.load();
    if (columns.size !== known) this.onLoad?.();
    this.draw();
  }

  /** Draws as many charts as a frame has time for, the others in the next ones. */
  draw() {
    this.#waiting = [...this.charts.values()];
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => this.#drawSome());
  }

  #drawSome() {
    const from = performance.now();
    while (this.#waiting.length && performance.now() - from < BUDGET) this.#waiting.shift().draw();
    this.#drawing = this.#waiting.length > 0;
    if (this.#drawing) requestAnimationFrame(() => this.#drawSome());
  }
}
