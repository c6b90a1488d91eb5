// All fields of a line, each on a row. A click on a value filters by it.
import { el } from './dom.js';
import { canFilterBy } from './line-query.js';

/** Values that are nothing to filter by; a field for a search has one line. */
const PLAIN = new Set(['timestamp', 'level', 'message']);

export function fieldList(line, onFilter) {
  const rows = Object.entries(line).flatMap(([key, value]) => {
    const simple = value === null || typeof value !== 'object';
    const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2);
    const filters = simple && !PLAIN.has(key) && canFilterBy(key) && text.length <= 200 && !/[\r\n]/.test(text);
    const shown = filters ? el('button', { type: 'button', title: `Lines with ${key} like this`, onclick: () => onFilter(key, value) }, text || '(empty)') : text;
    return [el('dt', {}, key), el('dd', {}, shown)];
  });
  return el('dl', { class: 'fields' }, ...rows);
}
