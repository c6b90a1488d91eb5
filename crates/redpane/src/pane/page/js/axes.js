// Axes for uPlot: local time below, values in their unit at the left. Pure.
import { clock, duration, quantity } from './format.js';

const MINUTE = 60_000;

/** Labels of moments, with seconds only where the steps between them need them. */
export const timeLabels = (_, splits, __, ___, increment) =>
  splits.map((ms) => (ms === null ? '' : increment < MINUTE ? clock(ms) : clock(ms).slice(0, 5)));

/** Steps that people count in, in milliseconds. */
export const TIME_STEPS = [1, 5, 10, 15, 30].map((n) => n * 1000)
  .concat([1, 2, 5, 10, 15, 30].map((n) => n * MINUTE), [1, 2, 3, 6, 12].map((n) => n * 60 * MINUTE));

// Bytes are counted in powers of two, so are their steps.
const BYTE_STEPS = Array.from({ length: 40 }, (_, power) => 2 ** power);

export function valueAxis(unit) {
  return {
    values: (_, splits) => splits.map((value) => (value === null ? '' : quantity(value, unit))),
    ...(unit === 'bytes' ? { incrs: BYTE_STEPS } : {}),
  };
}

/** From zero to a little above the highest value and below the lowest; never a flat line at the top, and never a scale of nothing. */
export function valueRange(unit) {
  const least = { moment: 60, share: 0.01, seconds: 0.001, bytes: 1024 }[unit] ?? 1;
  return (_, lowest, highest) => {
    // Nobody looks for 1970.
    if (unit === 'moment' && lowest !== null) return [lowest - 60, highest + 60];
    const low = Math.min(0, (lowest ?? 0) * 1.1);
    return [low, Math.max(0, (highest ?? 0) * 1.1, low + least)];
  };
}

/** Names of the rows of the heat map: `≤ 5 ms`, and `> 10 s` for what is above all bounds. */
export function bucketName(index, bounds) {
  return index < bounds.length ? `≤ ${duration(bounds[index])}` : `> ${duration(bounds[bounds.length - 1] ?? 0)}`;
}
