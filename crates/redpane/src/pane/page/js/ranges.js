// The ranges of the history. Pure.

/** Seconds that each one goes back. */
export const RANGES = { '15m': 900, '3h': 10_800, '24h': 86_400 };

/** The shortest range that holds the chosen part of time; links are opened hours later. Pure. */
export function coveringRange(range, from, now) {
  const holds = (name) => from === null || from >= now - RANGES[name] * 1000;
  return [range, '15m', '3h', '24h'].find((name) => RANGES[name] >= RANGES[range] && holds(name)) ?? '24h';
}

/** A chart of a process that has just started is not fifteen minutes of nothing: it is at least this wide, and grows. */
const NARROWEST_MS = 120_000;

/** What the time axis shows: the range, or less where the process is younger. Pure. */
export function shownWindow(range, end, started) {
  return [Math.max(end - RANGES[range] * 1000, Math.min(started ?? -Infinity, end - NARROWEST_MS)), end];
}
