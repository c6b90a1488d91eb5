// The application's own metrics: those that the builder pinned, those that were found by name, those that were chosen.
import { get } from './api.js';
import { metricChart, seriesName } from './chart-kinds.js';
import { Chart } from './chart.js';
import { byId, el, setText } from './dom.js';
import { MOST_CHARTS, choose } from './metric-choice.js';

const MOST_NAMES = 80;

export class MetricsPanel {
  #count = -1;

  /** `changed()` is called when other metrics are shown than before: feed and history have to bring them. */
  constructor(view, board, changed) {
    this.view = view;
    this.board = board;
    this.changed = changed;
    this.all = [];
    this.shapes = new Map();
    this.search = byId('metric-search');
    this.search.value = view.now.find;
    this.search.addEventListener('input', () => view.set({ find: this.search.value, metrics: [] }, false));
    board.onLoad = () => this.#draw();
    view.onChange((now, changed) => {
      if (changed.has('find') && document.activeElement !== this.search) this.search.value = now.find;
      if (changed.has('find') || changed.has('metrics')) this.#choose();
    });
  }

  /** Takes the list of `api/overview`. */
  take(metrics) {
    this.all = metrics;
    this.#count = metrics.length;
    this.#choose();
  }

  /** A tick says how many there are: a new one is asked for. */
  async counted(count) {
    // There is no list to compare with before the first answer.
    if (count === this.#count || this.#count < 0) return;
    this.#count = count;
    try {
      this.take((await get('api/overview')).metrics);
    } catch {
      // The next tick asks again.
      this.#count = 0;
    }
  }

  #choose() {
    const before = this.board.metrics.map(({ name }) => name).join();
    const { shown, names } = choose(this.all, this.view.now);
    this.board.metrics = shown;
    this.#offer(names, shown);
    if (shown.map(({ name }) => name).join() !== before) this.changed();
    this.#draw();
  }

  #offer(names, shown) {
    setText(byId('metrics-count'), this.all.length ? `${shown.length} of ${this.all.length} shown` : '');
    const gone = this.view.now.metrics.filter((name) => !this.all.some((metric) => metric.name === name));
    const none = this.all.length ? (gone.length ? `There is no metric ${gone.join(', ')} (yet).` : names.length ? '' : 'No metric has such a name.') : 'No metrics yet: what metrics::counter!, gauge! and histogram! record appears here by its name.';
    setText(byId('metrics-empty'), none);
    byId('metrics-empty').hidden = !none;
    const more = names.length > MOST_NAMES ? [el('li', { class: 'unit' }, `and ${names.length - MOST_NAMES} more: find them by name`)] : [];
    byId('metric-names').replaceChildren(...names.slice(0, MOST_NAMES).map((metric) => this.#name(metric, shown.includes(metric))), ...more);
  }

  #name({ name, kind, help, recorded }, pressed) {
    const title = recorded ? `${kind}${help ? `: ${help}` : ''}` : 'Not recorded: more columns than the pane keeps';
    return el('li', {}, el('button', { type: 'button', class: 'small mono', 'aria-pressed': String(pressed), disabled: !recorded, title, onclick: () => this.#toggle(name, pressed) }, name));
  }

  #toggle(name, shown) {
    const now = this.board.metrics.map((metric) => metric.name).filter((one) => one !== name);
    this.view.set({ metrics: shown ? now : [name, ...now].slice(0, MOST_CHARTS) });
  }

  /** Charts are made again only where a metric or one of its label sets came or went. */
  #draw() {
    const { history, charts, context, metrics } = this.board;
    const figures = new Map();
    for (const metric of metrics) {
      const columns = history.of(seriesName(metric));
      const shape = [metric.name, metric.unit, metric.pinned, metric.kind === 'gauge' ? metric.label_sets : '', ...columns.map(({ label }) => label)].join('\u0000');
      let figure = this.shapes.get(shape);
      if (!figure) {
        figure = el('figure', { class: 'card chart', 'data-metric': metric.name });
        charts.set(figure, new Chart(figure, { ...metricChart(metric, columns), metric }, context));
      }
      figures.set(shape, figure);
    }
    for (const [shape, figure] of this.shapes) {
      if (!figures.has(shape)) {
        charts.get(figure).plot.destroy();
        charts.delete(figure);
      }
    }
    const same = figures.size === this.shapes.size && [...figures.keys()].every((shape) => this.shapes.has(shape));
    this.shapes = figures;
    if (!same) byId('metric-charts').replaceChildren(...figures.values());
    this.board.draw();
  }
}
