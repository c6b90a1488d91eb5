// Copying, and saying that it was done.
import { byId, el } from './dom.js';

/** Says something to those who see and to those who listen. */
export function say(text) {
  byId('say').textContent = '';
  const note = byId('toast') ?? document.body.appendChild(el('div', { id: 'toast', class: 'toast', 'aria-hidden': 'true' }));
  note.textContent = text;
  note.classList.add('shown');
  clearTimeout(say.timer);
  say.timer = setTimeout(() => note.classList.remove('shown'), 2500);
  requestAnimationFrame(() => (byId('say').textContent = text));
}

export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Only pages of https or of this machine may use the clipboard that way.
    const area = el('textarea', { class: 'unseen', readonly: true });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    if (!done) return say(`The browser does not let ${what} be copied`);
  }
  say(`Copied: ${what}`);
}

export const copyButton = (label, title, text) =>
  el('button', { type: 'button', class: 'bare', title, 'aria-label': title, onclick: () => copy(text(), label) }, label);
