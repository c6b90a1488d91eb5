// The log filter of the service: what it is, and another one for some minutes.
import { address, request } from './api.js';
import { say } from './copy.js';
import { byId, el, setText } from './dom.js';
import { clock } from './format.js';

const TIMES = [['1m', '1 minute'], ['10m', '10 minutes'], ['1h', '1 hour']];

export class LogFilter {
  constructor() {
    this.button = byId('log-filter');
    this.directives = el('input', { type: 'text', name: 'directives', required: true, maxlength: '1000', spellcheck: 'false', autocomplete: 'off', id: 'directives' });
    this.time = el('select', { name: 'for', id: 'directives-for' }, ...TIMES.map(([value, text]) => el('option', { value, selected: value === '10m' }, text)));
    this.hint = el('p', { class: 'hint' }, 'Events of this application do not arrive here, whatever the filter says: neither install() was called nor has a subscriber log_layer(). What changes are the lines of redpane itself.');
    this.problem = el('p', { class: 'problem', role: 'alert' });
    this.back = el('button', { type: 'button', onclick: () => this.#send('DELETE') }, 'Put back now');
    this.dialog = el('dialog', { 'aria-labelledby': 'log-filter-title' },
      el('h2', { id: 'log-filter-title' }, 'Log more for a while'), this.hint,
      el('form', { class: 'form', onsubmit: (event) => { event.preventDefault(); this.#send('PUT'); } },
        el('label', { for: 'directives' }, 'Directives, as in REDPANE_LOG'), this.directives,
        el('label', { for: 'directives-for' }, 'Then back by itself after'), this.time, this.problem,
        el('div', { class: 'buttons' }, el('button', {}, 'Set'), this.back, el('button', { type: 'button', onclick: () => this.dialog.close() }, 'Cancel'))));
    document.body.append(this.dialog);
    this.button.addEventListener('click', () => this.#open());
  }

  show(filter) {
    this.filter = filter;
    const changed = filter.until_ms !== null;
    this.hint.hidden = filter.events;
    const what = filter.events ? 'log' : 'log (requests only)';
    setText(this.button, changed ? `${what}: ${filter.directives} until ${clock(filter.until_ms)}` : `${what}: ${filter.directives}`);
    this.button.classList.toggle('changed', changed);
    this.back.hidden = !changed;
  }

  #open() {
    if (!this.filter) return;
    this.directives.value = this.filter.until_ms === null ? 'debug' : this.filter.directives;
    setText(this.problem, '');
    this.dialog.showModal();
    this.directives.select();
  }

  async #send(method) {
    const body = method === 'PUT' ? JSON.stringify({ directives: this.directives.value, for: this.time.value }) : undefined;
    try {
      this.show(await request(address('api/log-filter'), { method, body, headers: body ? { 'content-type': 'application/json' } : {} }));
      this.dialog.close();
      say(method === 'PUT' ? 'The log filter is set' : 'The log filter is as before');
    } catch (error) {
      setText(this.problem, error.message);
    }
  }
}
