// Spans as bars over time, lines as ticks on them.
import { el } from './dom.js';
import { duration } from './format.js';
import { lineWords } from './line-text.js';

const percent = (share) => `${(share * 100).toFixed(3)}%`;

export function drawWaterfall({ from, to, rows }, onClick) {
  const whole = (to - from) / 1000;
  const scale = el('div', { class: 'scale', 'aria-hidden': 'true' }, ...[0, 0.25, 0.5, 0.75, 1].map((part) => el('span', {}, duration(whole * part))));
  return el('div', { class: 'waterfall', role: 'group', 'aria-label': 'Spans over time' }, scale, ...rows.map((row) => span(row, onClick)));
}

function span(row, onClick) {
  const took = duration(row.duration_seconds);
  const about = [`${row.name}: ${took}`, row.kind, row.status_message, ...Object.entries(row.attributes ?? {}).map(([key, value]) => `${key}: ${value}`)].filter(Boolean).join('\n');
  const name = el('span', { class: 'name' }, row.name);
  name.style.paddingLeft = `${Math.min(row.depth, 12) * 12}px`;
  const bar = el('span', { class: 'bar' });
  bar.style.left = percent(row.left);
  bar.style.width = percent(row.width);
  const ticks = row.ticks.map(({ share, line }) => {
    const tick = el('span', { class: 'tick', 'data-level': line.level, title: lineWords(line).lead });
    tick.style.left = percent(share);
    return tick;
  });
  const kind = ['server', 'client', 'internal'].includes(row.kind) ? row.kind : 'internal';
  return el('button', { type: 'button', class: `span ${kind}${row.error ? ' error' : ''}`, title: about, onclick: () => onClick(row) }, name, el('span', { class: 'took' }, took), el('span', { class: 'track' }, bar, ...ticks));
}
