// The state and the rules in words. Pure.
import { cut, duration, moment, quantileOf, quantity } from './format.js';

const ORDER = { ok: 0, warning: 1, burning: 2 };
export const NAMES = { ok: 'OK', warning: 'Warning', burning: 'Burning' };

/**
 * The worst first, and among those the ones that know where. Else as the service has them: those with the shortest window come
 * first, so that "since" is of what happens now and not of an hour ago.
 */
export const worstFirst = (a, b) => ORDER[b.state] - ORDER[a.state] || Number(Boolean(b.route)) - Number(Boolean(a.route));

/** The most characters of a route where it stands among other words; all of it is in a title. */
const LONGEST = 40;
export const shortRoute = (route) => cut(route, LONGEST);

/** A text with the full names of these routes as the short ones. */
const shortened = (text, rules) => rules.reduce((words, { route }) => (route && route.route.length > LONGEST ? words.replaceAll(route.route, shortRoute(route.route)) : words), text);

/** What a method and route are called: those without a history of their own are so many further ones. */
export const routeName = ({ method, route, further_routes }) => (further_routes ? `${further_routes} further ${further_routes === 1 ? 'route' : 'routes'}` : `${method} ${shortRoute(route)}`);

/** The method and route that a firing rule blames most, or null. */
export const whereOf = ({ state, route }) => (state !== 'ok' && route ? routeName(route) : null);

/** What firing rules say of the routes that they blame: by method and route, the worst first. */
export function blamed(rules) {
  const found = new Map();
  for (const rule of rules.filter((one) => whereOf(one)).sort(worstFirst)) {
    const name = `${rule.route.method} ${rule.route.route}`;
    if (!found.has(name)) found.set(name, { ...rule.route, state: rule.state, words: blameWords(rule.route) });
  }
  return found;
}

const blameWords = ({ requests, errors, slow, window_seconds }) =>
  `${quantity(slow ?? errors, 'count')} of ${quantity(requests, 'count')} ${slow === null ? 'failed' : 'were slow'} in ${duration(window_seconds)}`;

/** Title, since when, and detail for an overview; `idle` where there is nothing yet to judge by. Pure. */
export function stateWords({ state, rules, totals, bounds_seconds, started_ms }, now) {
  const firing = rules.filter((rule) => rule.state !== 'ok').sort(worstFirst);
  if (!firing.length && totals.requests_since_start === 0) {
    const since = `started ${duration(Math.max(1, Math.round((now - started_ms) / 1000)))} ago`;
    return { title: 'No requests yet', since, since_ms: started_ms, detail: 'What is good or bad is said from the first request on.', idle: true };
  }
  if (!firing.length) {
    const rate = totals.requests ? `${quantity(totals.requests_per_second, 'rate')} in the last minute, ${totals.errors_per_second ? quantity(totals.error_ratio, 'share') : 'none'} of them failed, p99 ${quantileOf(totals.p99_seconds, totals.requests, bounds_seconds)}.` : 'No requests in the last minute.';
    return { title: NAMES.ok, since: '', since_ms: null, detail: `All ${rules.length} rules are quiet. ${rate}` };
  }
  const [first, ...others] = firing;
  const since = first.since_ms === null ? '' : `since ${moment(first.since_ms, now)} (${duration(Math.max(1, Math.round((now - first.since_ms) / 1000)))})`;
  const where = whereOf(first);
  const other = (rule) => (whereOf(rule) && whereOf(rule) !== where ? `${rule.title} (${whereOf(rule)})` : rule.title);
  const also = others.length ? ` Also: ${others.map(other).join(', ')}.` : '';
  const words = shortened(first.detail, firing);
  const detail = words.endsWith('.') ? words : `${words}.`;
  return { title: `${NAMES[state]}: ${where ? `${where} · ` : ''}${first.title}`, since, since_ms: first.since_ms, detail: `${detail}${also}` };
}

const UNITS = { seconds: 'seconds', ratio: 'share', per_second: 'rate' };

/** `12 requests (limit 0)`, in the unit of the rule, or why there is nothing to say. Pure. */
export function ruleNumbers({ value, threshold, unit, reason, requests }, bounds) {
  if (reason) return reason;
  if (unit === 'seconds' && value !== null) return `${quantileOf(value, requests ?? null, bounds)} (limit ${quantity(threshold, unit)})`;
  const say = (number) => (UNITS[unit] ? quantity(number, UNITS[unit]) : `${quantity(number, 'count')}${unit && number !== null ? ` ${number === 1 ? unit.replace(/s$/, '') : unit}` : ''}`);
  return value === null || value === undefined ? 'nothing to judge by' : `${say(value)} (limit ${quantity(threshold, UNITS[unit] ?? 'count')})`;
}
