// The heat map: one column of cells for each few seconds, one row for each bucket, darker where more requests ended.

/** Cells narrower than this many pixels are only noise. */
const NARROWEST = 3;

/** Sums neighbouring steps, from the one of this time on, until a column is wide enough to be seen. Pure. */
export function mergeSteps(heat, times, step, most, from = 0) {
  const first = Math.max(0, times.findIndex((time) => time >= from));
  const together = Math.max(1, Math.ceil((heat.length - first) / Math.max(1, most)));
  const columns = [];
  // Columns lie on multiples of their width: they do not flicker while time goes by.
  const width = together * step;
  for (let index = first; index < heat.length; index += 1) {
    const start = Math.floor(times[index] / width) * width;
    let column = columns[columns.length - 1];
    if (column?.start !== start) columns.push((column = { start, width, counts: null }));
    const counts = heat[index];
    if (!counts) continue;
    column.counts ??= new Array(counts.length).fill(0);
    counts.forEach((count, bucket) => (column.counts[bucket] += count));
  }
  return columns;
}

/** First and last bucket that hold anything, with one empty one on each side, so that the rows in use have the room. Pure. */
export function usedBuckets(columns, buckets) {
  let [low, high] = [buckets, -1];
  for (const { counts } of columns) {
    counts?.forEach((count, bucket) => {
      if (count) [low, high] = [Math.min(low, bucket), Math.max(high, bucket)];
    });
  }
  return high < 0 ? [0, buckets - 1] : [Math.max(0, low - 1), Math.min(buckets - 1, high + 1)];
}

/** Draws the cells of a uPlot chart whose y scale counts buckets. `low` and `high` are colours as `r g b`. */
export function drawHeat(plot, columns, { low, high }) {
  const { ctx, bbox } = plot;
  const from = low.split(' ').map(Number);
  const to = high.split(' ').map(Number);
  const most = Math.max(1, ...columns.flatMap(({ counts }) => counts ?? []));
  // A single slow request among thousands must be seen, so shades are logarithmic, and the lowest is seen well on its ground.
  const shade = (count) => (most > 1 ? Math.log(count) / Math.log(most) : 0);
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (const { start, width, counts } of columns) {
    if (!counts) continue;
    const left = Math.round(plot.valToPos(start, 'x', true));
    const right = Math.round(plot.valToPos(start + width, 'x', true));
    counts.forEach((count, bucket) => {
      if (!count) return;
      const top = Math.round(plot.valToPos(bucket + 0.5, 'y', true));
      const bottom = Math.round(plot.valToPos(bucket - 0.5, 'y', true));
      const part = shade(count);
      ctx.fillStyle = `rgb(${from.map((one, index) => Math.round(one + (to[index] - one) * part)).join(' ')})`;
      ctx.fillRect(left, top, Math.max(1, right - left), Math.max(1, bottom - top - 1));
    });
  }
  ctx.restore();
}

export const columnsThatFit = (width) => Math.floor(width / NARROWEST);
