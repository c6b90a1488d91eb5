// The live feed: server-sent events, and in words what is the matter with it.
import { address, refusal } from './api.js';
import { clock, duration } from './format.js';
import { parseJson } from './json.js';
import { TURNS, Turn } from './turn.js';

/** A tick comes each second: a service that says nothing for so long hangs, or is gone. */
const LATE_MS = 3000;
/** After so long the feed is made anew, whatever the socket looks like. */
const SILENCE_MS = 5000;
const AGAIN_MS = 2000;
/** The status of an answer where there is no room for one more viewer. */
const FULL = 503;
/** How often the state is asked for without a feed. */
const LOOK_MS = 10_000;

/**
 * Events: `hello`, `tick`, `lines`, `dropped` as the service sends them, and `status` with
 * `{state: 'loading' | 'live' | 'lost' | 'waiting', words, since}`; and `look` now and then while it waits for its turn.
 */
export class Feed extends EventTarget {
  #source = null;
  /** Null until somebody opens it. */
  #parameters = null;
  #heard = 0;
  #lostSince = null;
  #again = null;
  #reason = '';
  #asleep = false;
  #turn = new Turn();
  #waits = false;
  #looked = -LOOK_MS;

  constructor() {
    super();
    setInterval(() => this.#watch(), 1000);
  }

  /** Opens the feed with these parameters; a feed that is open with others is closed. */
  open(parameters) {
    this.#parameters = parameters;
    if (!this.#asleep) this.#begin();
  }

  /** Closes it until `wake`: a browser has six connections to a host, for all of its tabs. */
  sleep() {
    this.#asleep = true;
    clearTimeout(this.#again);
    this.#source?.close();
    this.#source = null;
    this.#turn.give();
  }

  wake() {
    if (!this.#asleep) return;
    this.#asleep = false;
    if (this.#parameters) this.#begin();
  }

  /** Opens the feed if there are few enough in this browser, and else waits for a turn. */
  async #begin() {
    clearTimeout(this.#again);
    const may = await this.#turn.take();
    // It was sent to sleep meanwhile.
    if (this.#asleep) return this.#turn.give();
    this.#waits = !may;
    if (may) return this.#connect();
    this.#wait(`${TURNS} other tabs are live`, 'A browser has few connections to one host. Close one of the tabs, or hide it.');
    this.#again = setTimeout(() => this.#begin(), AGAIN_MS);
  }

  /** Says why there is no feed for now, though the service answers: so it is asked without one. */
  #wait(why, detail) {
    this.live = false;
    this.#lostSince = null;
    this.#say('waiting', `Waiting: ${why}`, `${detail} This one goes on by itself; until then its state is asked for every ten seconds.`);
    if (performance.now() - this.#looked < LOOK_MS) return;
    this.#looked = performance.now();
    this.dispatchEvent(new CustomEvent('look'));
  }

  #connect() {
    clearTimeout(this.#again);
    this.#source?.close();
    const source = new EventSource(address('api/live', this.#parameters));
    this.#source = source;
    this.#heard = performance.now();
    for (const name of ['hello', 'tick', 'lines', 'dropped']) {
      source.addEventListener(name, (event) => {
        if (source !== this.#source) return;
        this.#heard = performance.now();
        this.#found();
        this.dispatchEvent(new CustomEvent(name, { detail: parseJson(event.data) }));
      });
    }
    source.addEventListener('error', () => {
      if (source !== this.#source) return;
      // The browser tries again by itself, except after an answer that is no feed.
      if (source.readyState === EventSource.CLOSED) this.#askWhy();
      else this.#lost('');
    });
  }

  /** An `EventSource` does not say why it was refused: the same question asked plainly does. */
  async #askWhy() {
    const source = this.#source;
    const problem = await refusal(address('api/live', this.#parameters));
    // Another feed was opened meanwhile, or none is wanted any more.
    if (source !== this.#source) return;
    if (problem?.status === FULL) this.#wait('no room for more viewers', `${problem.message}.`);
    else this.#lost(problem?.status ? `The service gives no live feed: ${problem.message}.` : '');
    this.#again = setTimeout(() => this.#connect(), (problem?.retryAfter ?? 0) * 1000 || AGAIN_MS);
  }

  #found() {
    if (this.#lostSince !== null || !this.live) {
      this.#lostSince = null;
      this.#reason = '';
      this.live = true;
      this.#say('live', 'Live');
    }
  }

  #lost(reason) {
    this.#reason = reason;
    this.live = false;
    this.#lostSince ??= Date.now();
    this.#watch();
  }

  #watch() {
    if (this.#asleep || this.#waits) return;
    const silent = performance.now() - this.#heard;
    // A connection that hangs says nothing either: it is made anew as long as there is no word.
    if (silent > LATE_MS && this.#source?.readyState !== EventSource.CLOSED) {
      this.#lostSince ??= Date.now() - silent;
      this.live = false;
      if (silent > SILENCE_MS && this.#parameters) this.#connect();
    }
    if (this.#lostSince === null) return;
    const ago = duration(Math.max(1, Math.round((Date.now() - this.#lostSince) / 1000)));
    this.#say('lost', `No connection for ${ago}`, this.#reason || `No word since ${clock(this.#lostSince)}; trying again.`);
  }

  #say(state, words, detail = '') {
    this.dispatchEvent(new CustomEvent('status', { detail: { state, words, detail, since: this.#lostSince } }));
  }
}
