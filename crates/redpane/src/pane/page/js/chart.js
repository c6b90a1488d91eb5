// One chart: a head with names and values, and a uPlot drawing below it.
import { TIME_STEPS, bucketName, timeLabels, valueAxis, valueRange } from './axes.js';
import { Legend } from './chart-legend.js';
import { select } from './chart-select.js';
import { color, el, setText } from './dom.js';
import { columnsThatFit, drawHeat, mergeSteps, usedBuckets } from './heatmap.js';
import { isolated, stack } from './history.js';

// Charts point at the same moment together; what is dragged over one of them is not told to the others.
const POINTER = (type) => type === 'mousemove' || type === 'mouseleave';

// A value is of a whole step, and not on the way to the next one.
const STEPPED = globalThis.uPlot?.paths.stepped({ align: 1 });

export class Chart {
  /** `kind` as in `chart-kinds.js`; `context` has `history`, `window()`, `selection()`, `onSelect(from, to)`, `sync`, `copy(kind)`. */
  constructor(figure, kind, context) {
    this.kind = kind;
    this.context = context;
    this.visible = true;
    this.at = el('span', { class: 'at' });
    this.legend = new Legend(kind, this.at);
    this.empty = el('p', { class: 'plot-empty' });
    this.plotBox = el('div', { class: 'plot', tabindex: '0', role: 'slider', 'aria-label': `${kind.title}, ${kind.about}. Arrow keys move, with Shift they choose, Enter shows the lines.`, 'aria-valuemin': '0', 'aria-valuemax': '0', 'aria-valuenow': '0', 'aria-valuetext': 'Loading' }, this.empty);
    const copy = el('button', { type: 'button', class: 'bare', title: 'Copy the PromQL query for Grafana', 'aria-label': `Copy PromQL: ${kind.title}`, onclick: () => context.copy(kind) }, 'PromQL');
    figure.replaceChildren(
      el('figcaption', { class: 'chart-head', title: kind.help || null }, el('h3', { class: kind.pinned ? 'pinned' : null }, kind.title), el('span', { class: 'unit' }, kind.about), el('span', { class: 'spring' }), this.at, copy),
      this.legend.list, this.plotBox,
    );
    this.#makePlot();
    new ResizeObserver(() => this.#resize()).observe(this.plotBox);
    new IntersectionObserver(([entry]) => {
      this.visible = entry.isIntersecting;
      if (this.visible) this.draw();
    }).observe(figure);
  }

  #makePlot() {
    const { kind, context } = this;
    const axis = { stroke: () => color('axis'), grid: { stroke: () => color('rule'), width: 1 }, ticks: { show: false }, font: '11px system-ui, sans-serif' };
    const line = (one) => ({
      stroke: () => color(one.color), width: 1.25, spanGaps: false, paths: STEPPED,
      points: { show: false, size: 4, fill: () => color(one.color), filter: (plot, index) => (kind.stacked ? null : isolated(plot.data[index], ...plot.series[0].idxs)) },
      ...(kind.stacked ? { fill: () => color(one.color), width: 0 } : one.fill ? { fill: () => `${color(one.color)}26` } : {}),
    });
    // Drawn from the whole to its lowest part, which lies in front.
    const series = kind.stacked ? kind.series.slice().reverse() : kind.series;
    const rows = kind.heat ? { splits: () => this.#rowSplits(), values: (_, at) => at.map((row) => bucketName(row, context.history.bounds)) } : valueAxis(kind.unit);
    this.plot = new uPlot({
      ...this.#size(), ms: 1, padding: [6, 26, 0, 0], legend: { show: false },
      scales: { x: { time: true, range: () => context.window() }, y: { range: kind.heat ? () => this.#rowRange() : valueRange(kind.unit) } },
      axes: [{ ...axis, values: timeLabels, incrs: TIME_STEPS, size: 22, space: 64 }, { ...axis, ...rows, size: 62, space: 26 }],
      series: [{}, ...(kind.heat ? [{ stroke: 'transparent', points: { show: false } }] : series.map(line))],
      cursor: { y: false, drag: { x: false, y: false, setScale: false }, move: (plot, left, top) => [Math.min(left, plot.over.clientWidth), top], sync: { key: context.sync, setSeries: false, filters: { pub: POINTER, sub: POINTER } }, points: { show: false } },
      hooks: { setCursor: [() => this.#say()], draw: [() => kind.heat && this.#drawHeat(), () => this.#drawSelection()] },
    }, this.#data(), this.plotBox);
    select(this.plot, this.plotBox, context);
  }

  #size() {
    return { width: Math.max(80, this.plotBox.clientWidth || 300), height: Math.max(60, this.plotBox.clientHeight || 120) };
  }

  #resize() {
    if (this.plotBox.clientWidth) this.plot.setSize(this.#size());
  }

  #column(one) {
    return this.context.history.columns.get(one.key)?.values ?? this.context.history.times.map(() => null);
  }

  #data() {
    const { kind, context: { history } } = this;
    if (kind.heat) {
      this.columns = mergeSteps(history.heat, history.times, history.step, columnsThatFit(this.plot?.bbox.width / devicePixelRatio || 300), this.context.window()[0]);
      this.rows = usedBuckets(this.columns, history.bounds.length + 1);
      return [history.times, history.times.map(() => null)];
    }
    const lists = kind.series.map((one) => this.#column(one));
    return [history.times, ...(kind.stacked ? stack(lists.slice().reverse()) : lists)];
  }

  /** Draws what the history has now, unless nobody sees it. */
  draw() {
    if (!this.visible) return;
    this.plot.setData(this.#data());
    this.#say();
    setText(this.empty, this.#absence());
  }

  #absence() {
    const { kind, context: { history } } = this;
    if (!history.times.length) return 'Loading';
    const any = kind.heat ? history.heat.some((counts) => counts?.some(Boolean)) : kind.series.some((one) => this.#column(one).some((value) => value !== null));
    return any ? '' : kind.without ?? (kind.ofRoute ? 'No requests in this time' : 'No values in this time');
  }

  /** Says the values below the pointer, or the newest ones. */
  #say() {
    const { context: { history } } = this;
    if (!this.plot) return;
    const { left } = this.plot.cursor;
    const pointed = left >= 0 ? history.indexAt(this.plot.posToVal(left, 'x')) : -1;
    const words = this.kind.heat ? this.#sayCell(left) : this.legend.show(history, pointed);
    // For those who move with the keys and listen.
    if (this.plotBox === document.activeElement) this.plotBox.setAttribute('aria-valuetext', words);
    const [from, to] = this.context.window();
    const moment = { min: from, max: to, now: pointed < 0 ? to : history.times[pointed] };
    for (const [name, ms] of Object.entries(moment)) this.plotBox.setAttribute(`aria-value${name}`, ms);
  }

  #sayCell(left) {
    const { cursor: { top } } = this.plot;
    const [ms, bucket] = left >= 0 ? [this.plot.posToVal(left, 'x'), Math.round(this.plot.posToVal(top, 'y'))] : [null, -1];
    return this.legend.showCell(this.columns ?? [], this.context.history.bounds, ms, bucket);
  }

  #rowRange() {
    const [low, high] = this.rows ?? [0, 1];
    return [low - 0.5, high + 0.5];
  }

  #rowSplits() {
    const [low, high] = this.rows ?? [0, 1];
    const every = Math.ceil((high - low + 1) / 6);
    return Array.from({ length: high - low + 1 }, (_, row) => low + row).filter((row) => (row - low) % every === 0);
  }

  #drawHeat() {
    if (this.columns) drawHeat(this.plot, this.columns, { low: color('heat-low'), high: color('heat-high') });
  }

  #drawSelection() {
    const chosen = this.context.selection();
    if (!chosen) return;
    const { ctx, bbox } = this.plot;
    const [left, right] = chosen.map((ms) => Math.min(Math.max(this.plot.valToPos(ms, 'x', true), bbox.left), bbox.left + bbox.width));
    if (right <= left) return;
    ctx.save();
    ctx.fillStyle = color('band');
    ctx.fillRect(left, bbox.top, right - left, bbox.height);
    ctx.fillStyle = color('accent');
    [left, right].forEach((x) => ctx.fillRect(x, bbox.top, 1, bbox.height));
    ctx.restore();
  }
}
