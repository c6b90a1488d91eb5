// A log line in a few words. Pure: it gives text, never markup.
import { duration } from './format.js';

const SHOWN_ELSEWHERE = new Set(['timestamp', 'level', 'app', 'trace_id', 'span_id', 'target', 'message']);
const OF_ACCESS = new Set(['method', 'route', 'path', 'status', 'outcome', 'duration_seconds', 'request_bytes', 'response_bytes', 'client', 'user_agent', 'request_id', 'parent_span_id']);

/** Unix milliseconds with microseconds behind the point; a line without a valid time has none. */
export function lineTime(line) {
  const match = /^(.*?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(line.timestamp ?? '');
  if (!match) return NaN;
  return Date.parse(match[1] + match[3]) + Number(`0.${match[2] ?? 0}`) * 1000;
}

/** An event of the application may be called like one: what it is, is said by its target. */
export const isAccess = (line) => line.message === 'request' && line.target === 'redpane::access';

const text = (value) => (typeof value === 'string' ? value : JSON.stringify(value));

const fields = (line, skipped) =>
  Object.entries(line).filter(([key]) => !SHOWN_ELSEWHERE.has(key) && !skipped?.has(key)).map(([key, value]) => `${key}=${text(value)}`);

/** `{lead, status, rest}`: what happened, the class of the status (or null), and the other fields as a list of words. */
export function lineWords(line) {
  if (typeof line === 'string') return { lead: line, status: null, rest: [] };
  if (!isAccess(line)) return { lead: text(line.message ?? ''), status: null, rest: fields(line) };
  const took = typeof line.duration_seconds === 'number' ? duration(line.duration_seconds) : '';
  const outcome = line.outcome && line.outcome !== 'complete' ? ` ${line.outcome}` : '';
  return {
    lead: `${line.method} ${line.path}`, status: Math.floor(line.status / 100), statusText: `${line.status}${outcome}`, took, rest: fields(line, OF_ACCESS),
  };
}
