// The lines that the list has: the newest first, at most as many as are of use, each id once. Pure.

/** Lines in memory at most. Older ones can be asked for again. */
export const LIMIT = 5000;

export class LineBuffer {
  constructor(limit = LIMIT) {
    this.limit = limit;
    this.clear();
  }

  clear() {
    this.lines = [];
    /** Lines that were let go of at the old end. */
    this.cut = 0;
  }

  /** Newest lines, in the order of writing, as the feed has them. Gives how many were new. */
  add(batch) {
    const newest = this.lines.length ? this.lines[0].id : -1;
    const fresh = batch.filter((line) => line.id > newest);
    if (!fresh.length) return 0;
    this.lines = fresh.reverse().concat(this.lines);
    if (this.lines.length > this.limit) {
      this.cut += this.lines.length - this.limit;
      this.lines.length = this.limit;
    }
    return fresh.length;
  }

  /** Older lines, the newest first, as `api/lines` has them. */
  addOlder(page) {
    const oldest = this.lines.length ? this.lines[this.lines.length - 1].id : Infinity;
    const older = page.filter((line) => line.id < oldest).slice(0, this.limit - this.lines.length);
    this.lines = this.lines.concat(older);
    return older.length;
  }

  get full() {
    return this.lines.length >= this.limit;
  }
}
