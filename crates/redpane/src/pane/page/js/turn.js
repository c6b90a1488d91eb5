// One of the few feeds that a browser may have at once: it has six connections to a host, for all of its tabs together,
// and questions need one too. A seventh tab would get no answer to anything, and could not say why.

export const TURNS = 5;

export class Turn {
  #release = null;
  #asked = null;

  /** Whether this page may have a feed: it has a turn then, until `give`. Browsers without locks give one to everybody. */
  take() {
    // Asked twice at once it is still one turn.
    this.#asked ??= this.#find().finally(() => (this.#asked = null));
    return this.#asked;
  }

  async #find() {
    if (this.#release || !navigator.locks) return true;
    for (let number = 0; number < TURNS; number += 1) {
      if (await this.#hold(`redpane-feed-${number}`)) return true;
    }
    return false;
  }

  give() {
    this.#release?.();
    this.#release = null;
  }

  /** A page that ends lets go of its lock by itself. */
  #hold(name) {
    return new Promise((answer) => {
      const held = (lock) => {
        if (!lock) return void answer(false);
        return new Promise((release) => {
          this.#release = release;
          answer(true);
        });
      };
      navigator.locks.request(name, { ifAvailable: true }, held).catch(() => answer(true));
    });
  }
}
