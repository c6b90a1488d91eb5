// The five rules: a word and a number each; a click shows the lines of the time since a rule fires.
import { byId, el, setText, setTitle } from './dom.js';
import { moment } from './format.js';
import { withLines } from './view.js';
import { ruleNumbers, whereOf } from './words.js';

export class Rules {
  constructor(view, copy) {
    this.view = view;
    this.copy = copy;
    this.rows = new Map();
  }

  show({ rules, now_ms, bounds_seconds }) {
    for (const rule of rules) {
      const row = this.rows.get(rule.name) ?? this.#add(rule);
      row.rule = rule;
      row.now = now_ms;
      row.item.dataset.state = rule.state;
      setText(row.title, rule.title);
      // Its state is a word as well as a colour.
      setText(row.value, `${rule.state}: ${ruleNumbers(rule, bounds_seconds)}${rule.state === 'ok' ? '' : `, since ${moment(rule.since_ms)}`}`);
      setText(row.where, whereOf(rule) ?? '');
      setTitle(row.open, `${rule.state}. ${rule.detail}`);
      row.copy.setAttribute('aria-label', `Copy the PromQL query: ${rule.title}`);
    }
  }

  #add({ name }) {
    const row = { title: el('b'), value: el('span', { class: 'unit' }), where: el('span', { class: 'where' }) };
    row.open = el('button', { type: 'button', class: 'rule-open', onclick: () => this.#lines(row) }, row.title, ' ', row.value, ' ', row.where);
    row.copy = el('button', { type: 'button', class: 'bare', title: 'Copy the PromQL query', onclick: () => this.copy(row.rule.query, 'PromQL') }, 'PromQL');
    row.item = el('li', { class: 'rule', 'data-rule': name }, row.open, row.copy);
    this.rows.set(name, row);
    byId('rules').append(row.item);
    return row;
  }

  /** Lines of the time from a minute before it began to fire; errors only where it is about errors. */
  #lines({ rule, now }) {
    const from = rule.since_ms === null ? now - 300_000 : rule.since_ms - 60_000;
    const level = rule.name === 'p99_slow' || rule.state === 'ok' ? '' : 'warn';
    this.view.set({ from, to: now + 1000, level, trace: null, line: null, ...withLines(this.view.now) });
  }
}
