// The state and the rules in words. Pure.
import { clock, duration, quantity } from './format.js';

const ORDER = { ok: 0, warning: 1, burning: 2 };
export const NAMES = { ok: 'OK', warning: 'Warning', burning: 'Burning' };

export const worstFirst = (a, b) => ORDER[b.state] - ORDER[a.state] || (a.since_ms ?? 0) - (b.since_ms ?? 0);

/** Title, since when, and detail for an overview. Pure. */
export function stateWords({ state, rules, totals }, now) {
  const firing = rules.filter((rule) => rule.state !== 'ok').sort(worstFirst);
  if (!firing.length) {
    const rate = totals.requests ? `${quantity(totals.requests_per_second, 'rate')} in the last minute, ${totals.errors_per_second ? quantity(totals.error_ratio, 'share') : 'none'} of them failed, p99 ${quantity(totals.p99_seconds, 'seconds')}.` : 'No requests in the last minute.';
    return { title: NAMES.ok, since: '', detail: `All ${rules.length} rules are quiet. ${rate}` };
  }
  const [first, ...others] = firing;
  const since = first.since_ms === null ? '' : `since ${clock(first.since_ms)} (${duration(Math.max(1, Math.round((now - first.since_ms) / 1000)))})`;
  const also = others.length ? ` Also: ${others.map((rule) => rule.title).join(', ')}.` : '';
  const detail = first.detail.endsWith('.') ? first.detail : `${first.detail}.`;
  return { title: `${NAMES[state]}: ${first.title}`, since, detail: `${detail}${also}` };
}

const UNITS = { seconds: 'seconds', ratio: 'share', per_second: 'rate' };

/** `12 requests (limit 0)`, in the unit of the rule. Pure. */
export function ruleNumbers({ value, threshold, unit }) {
  const say = (number) => (UNITS[unit] ? quantity(number, UNITS[unit]) : `${quantity(number, 'count')}${unit && number !== null ? ` ${unit}` : ''}`);
  return value === null || value === undefined ? 'nothing to judge by' : `${say(value)} (limit ${quantity(threshold, UNITS[unit] ?? 'count')})`;
}
