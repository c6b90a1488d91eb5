// A trace as the waterfall shows it: spans as a tree, lines at their moments. Pure.
import { isAccess, lineTime } from './line-text.js';

/** Spans depth first, each with its `depth`; those whose parent is not among them are roots. */
export function tree(spans) {
  const known = new Set(spans.map((span) => span.span_id));
  const children = new Map();
  for (const span of spans.slice().sort((a, b) => a.start_ms - b.start_ms)) {
    const parent = known.has(span.parent_span_id) && span.parent_span_id !== span.span_id ? span.parent_span_id : null;
    if (!children.has(parent)) children.set(parent, []);
    children.get(parent).push(span);
  }
  const rows = [];
  const seen = new Set();
  const walk = (parent, depth) => {
    for (const span of children.get(parent) ?? []) {
      if (seen.has(span)) continue;
      seen.add(span);
      rows.push({ ...span, depth });
      walk(span.span_id, depth + 1);
    }
  };
  walk(null, 0);
  // Spans that are each other's parents, which only a forged trace has.
  for (const span of spans) if (!seen.has(span)) rows.push({ ...span, depth: 0 });
  return rows;
}

/** `{from, to, rows, lines, request}`: the extent in milliseconds, spans with their `share`s of it, lines with their offsets. */
export function waterfall({ spans, lines }) {
  const rows = tree(spans);
  const moments = lines.map(({ line }) => lineTime(line)).filter((time) => !Number.isNaN(time));
  const from = Math.min(...rows.map((row) => row.start_ms), ...moments);
  // At least a microsecond, by which can be divided.
  const to = Math.max(...rows.map((row) => row.start_ms + row.duration_seconds * 1000), ...moments, from + 0.001);
  const share = (ms) => Math.min(1, Math.max(0, (ms - from) / (to - from)));
  const placed = lines.map(({ id, line }) => ({ id, line, offset: (lineTime(line) - from) / 1000, share: share(lineTime(line)) }));
  return {
    from, to,
    rows: rows.map((row) => ({
      ...row, left: share(row.start_ms), width: share(row.start_ms + row.duration_seconds * 1000) - share(row.start_ms),
      ticks: placed.filter(({ line }) => line.span_id === row.span_id && !isAccess(line)),
    })),
    lines: placed,
    request: lines.map(({ line }) => line).find(isAccess) ?? null,
  };
}
