// The state and the rules in words. Pure.
import { clock, duration, quantity } from './format.js';

const ORDER = { ok: 0, warning: 1, burning: 2 };
export const NAMES = { ok: 'OK', warning: 'Warning', burning: 'Burning' };

/**
 * The worst first, and among those the ones that know where. Else as the service has them: those with the shortest window come
 * first, so that "since" is of what happens now and not of an hour ago.
 */
export const worstFirst = (a, b) => ORDER[b.state] - ORDER[a.state] || Number(Boolean(b.route)) - Number(Boolean(a.route));

/** The method and route that a firing rule blames most, or null. */
export const whereOf = ({ state, route }) => (state !== 'ok' && route ? `${route.method} ${route.route}` : null);

/** What firing rules say of the routes that they blame: by method and route, the worst first. */
export function blamed(rules) {
  const found = new Map();
  for (const rule of rules.filter((one) => whereOf(one)).sort(worstFirst)) {
    if (!found.has(whereOf(rule))) found.set(whereOf(rule), { ...rule.route, state: rule.state, words: blameWords(rule.route) });
  }
  return found;
}

const blameWords = ({ requests, errors, slow, window_seconds }) =>
  `${quantity(slow ?? errors, 'count')} of ${quantity(requests, 'count')} ${slow === null ? 'failed' : 'were slow'} in ${duration(window_seconds)}`;

/** Title, since when, and detail for an overview. Pure. */
export function stateWords({ state, rules, totals }, now) {
  const firing = rules.filter((rule) => rule.state !== 'ok').sort(worstFirst);
  if (!firing.length) {
    const rate = totals.requests ? `${quantity(totals.requests_per_second, 'rate')} in the last minute, ${totals.errors_per_second ? quantity(totals.error_ratio, 'share') : 'none'} of them failed, p99 ${quantity(totals.p99_seconds, 'seconds')}.` : 'No requests in the last minute.';
    return { title: NAMES.ok, since: '', since_ms: null, detail: `All ${rules.length} rules are quiet. ${rate}` };
  }
  const [first, ...others] = firing;
  const since = first.since_ms === null ? '' : `since ${clock(first.since_ms)} (${duration(Math.max(1, Math.round((now - first.since_ms) / 1000)))})`;
  const where = whereOf(first);
  const other = (rule) => (whereOf(rule) && whereOf(rule) !== where ? `${rule.title} (${whereOf(rule)})` : rule.title);
  const also = others.length ? ` Also: ${others.map(other).join(', ')}.` : '';
  const detail = first.detail.endsWith('.') ? first.detail : `${first.detail}.`;
  return { title: `${NAMES[state]}: ${where ? `${where} · ` : ''}${first.title}`, since, since_ms: first.since_ms, detail: `${detail}${also}` };
}

const UNITS = { seconds: 'seconds', ratio: 'share', per_second: 'rate' };

/** `12 requests (limit 0)`, in the unit of the rule, or why there is nothing to say. Pure. */
export function ruleNumbers({ value, threshold, unit, reason }) {
  if (reason) return reason;
  const say = (number) => (UNITS[unit] ? quantity(number, UNITS[unit]) : `${quantity(number, 'count')}${unit && number !== null ? ` ${number === 1 ? unit.replace(/s$/, '') : unit}` : ''}`);
  return value === null || value === undefined ? 'nothing to judge by' : `${say(value)} (limit ${quantity(threshold, UNITS[unit] ?? 'count')})`;
}
