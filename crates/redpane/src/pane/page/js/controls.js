// The controls of the page: range, pause, search, levels, size of the lines, and their keys.
import { copy, say } from './copy.js';
import { byId, setText, setTitle } from './dom.js';
import { clock } from './format.js';
import { keys } from './keys.js';
import { dockOf, withLines } from './view.js';

/** Typing is over after so long: each letter would be a question to the service. */
const TYPED_MS = 250;
const SIZES = ['open', 'large', 'closed'];

export const controls = {
  pausedSince: null,
  status: null,

  start(parts) {
    Object.assign(this, parts);
    this.choices();
    this.search();
    this.dock();
    byId('pause').addEventListener('click', () => this.pause());
    byId('link').addEventListener('click', () => copy(location.href, 'link to this view'));
    keys({
      search: () => { this.view.set(withLines(this.view.now), false); byId('search').focus(); byId('search').select(); },
      pause: () => this.pause(), escape: () => this.escape(),
      errors: () => this.view.set({ level: this.view.now.level === 'error' ? '' : 'error' }),
      size: () => this.size(), metric: () => byId('metric-search').focus(), range: (range) => this.view.set({ range }),
    });
  },

  /** Radios follow the view and change it. */
  choices() {
    const show = () => {
      for (const name of ['range', 'level']) {
        document.querySelectorAll(`input[name="${name}"]`).forEach((input) => (input.checked = input.value === this.view.now[name]));
      }
    };
    for (const name of ['range', 'level']) byId(`${name}${name === 'level' ? 's' : ''}`).addEventListener('change', (event) => this.view.set({ [name]: event.target.value }));
    this.view.onChange(show);
    show();
  },

  search() {
    const field = byId('search');
    let typed = null;
    field.value = this.view.now.search;
    field.addEventListener('input', () => {
      clearTimeout(typed);
      typed = setTimeout(() => this.view.set({ search: field.value.trim() }, false), TYPED_MS);
    });
    this.view.onChange((now, changed) => {
      if (changed.has('search') && field.value.trim() !== now.search) field.value = now.search;
    });
  },

  dock() {
    byId('dock-size').addEventListener('click', () => this.size(dockOf(this.view.now) === 'large' ? 'open' : 'large'));
    byId('dock-close').addEventListener('click', () => this.size(dockOf(this.view.now) === 'closed' ? 'open' : 'closed'));
    const show = () => {
      const dock = dockOf(this.view.now);
      byId('lines').dataset.size = dock;
      setText(byId('dock-size'), dock === 'large' ? 'Smaller' : 'Larger');
      setText(byId('dock-close'), dock === 'closed' ? 'Show' : 'Hide');
      byId('dock-close').setAttribute('aria-expanded', String(dock !== 'closed'));
    };
    this.view.onChange(show);
    show();
  },

  /** This size, or the next one. */
  size(wanted = SIZES[(SIZES.indexOf(dockOf(this.view.now)) + 1) % SIZES.length]) {
    this.view.set({ dock: wanted }, false);
  },

  pause() {
    this.pausedSince = this.pausedSince === null ? Date.now() : null;
    const paused = this.pausedSince !== null;
    this.board.paused = paused;
    this.lines.pause(paused);
    byId('pause').setAttribute('aria-pressed', String(paused));
    setText(byId('pause'), paused ? 'Go on' : 'Pause');
    if (!paused) this.reload();
    this.feed();
    say(paused ? 'Paused' : 'Live again');
  },

  /** One thing at a time, the latest first. */
  escape() {
    const { trace, line, from, route, level, search } = this.view.now;
    if (trace !== null || line !== null) this.trace.close();
    else if (from !== null) this.view.set({ from: null, to: null });
    else if (route !== null || level || search) this.view.set({ route: null, method: null, level: '', search: '' });
    else if (this.pausedSince !== null) this.pause();
  },

  connection(status) {
    this.status = status;
    this.feed();
  },

  feed() {
    const lost = this.status?.state === 'lost';
    const paused = this.pausedSince !== null;
    byId('feed').dataset.state = lost ? 'lost' : paused ? 'paused' : (this.status?.state ?? 'loading');
    setTitle(byId('feed'), this.status?.detail ?? '');
    setText(byId('feed'), lost ? 'Disconnected' : paused ? `Paused at ${clock(this.pausedSince)}` : (this.status?.words ?? 'Connecting'));
  },
};
