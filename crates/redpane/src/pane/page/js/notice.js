// One sentence about what is not as it should be: a restart, a question that failed.
import { byId, setText } from './dom.js';

/** How long it stands. */
const STANDS_MS = 60_000;

export class Notice {
  #until = null;

  constructor() {
    this.box = byId('notice');
  }

  say(text) {
    this.#show(text);
    clearTimeout(this.#until);
    this.#until = setTimeout(() => this.#show(''), STANDS_MS);
  }

  #show(text) {
    setText(this.box, text);
    // It may be longer than the room that the bar has.
    this.box.title = text;
  }
}
