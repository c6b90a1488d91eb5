// The largest words of the page: is it on fire, since when, which rule, where.
import { byId, setText, setTitle } from './dom.js';
import { quantileOf, quantity, utc } from './format.js';
import { NAMES, stateWords } from './words.js';

export class StateLine {
  constructor() {
    this.box = byId('state');
    this.title = byId('state-title');
    this.since = byId('state-since');
    this.icon = byId('icon');
    this.icons = this.icon.href.replace(/[^/]+$/, '');
  }

  /** Shows an overview, or a tick, which holds the same. */
  show(overview) {
    const { state, totals } = overview;
    const { title, since, since_ms, detail, idle } = stateWords(overview, overview.now_ms);
    if (this.last && this.last !== state) setText(byId('say'), `${title}. ${detail}`);
    this.last = state;
    this.box.dataset.state = idle ? 'idle' : state;
    setText(this.title, title);
    setText(this.since, since);
    setTitle(this.since, since_ms === null ? '' : utc(since_ms));
    setText(byId('state-detail'), detail);
    const values = {
      rate: quantity(totals.requests_per_second, 'rate'), errors: quantity(totals.error_ratio, 'share'),
      p99: quantileOf(totals.p99_seconds, totals.requests, overview.bounds_seconds), in_flight: quantity(totals.in_flight, 'count'),
    };
    for (const [name, text] of Object.entries(values)) setText(this.box.querySelector(`[data-total="${name}"]`), text);
    // What a tab shows of itself among thirty others.
    const mark = { ok: '', warning: '! ', burning: '!! ' }[state];
    const page = `${mark}${overview.app}: ${idle ? 'no requests yet' : state} – redpane`;
    if (document.title !== page) document.title = page;
    const icon = `${this.icons}${idle ? 'unknown' : state}.svg`;
    if (this.icon.href !== icon) this.icon.href = icon;
  }

  /** The connection is lost: what is shown is no longer what is. The next overview takes it back. */
  lost({ words, detail }) {
    const was = this.last ? ` The last known state was ${NAMES[this.last]}; what you see is from before.` : '';
    this.box.dataset.state = 'lost';
    setText(this.title, words);
    setText(this.since, '');
    setText(byId('state-detail'), `${detail}${was}`);
    document.title = 'No connection – redpane';
    this.icon.href = `${this.icons}unknown.svg`;
  }
}
