// Choosing a part of time on a chart: by dragging with a mouse, by dragging with a finger, or with the keys.

/** A drag of fewer pixels was a click. */
const SHORTEST = 4;

/** `context.onSelect(from, to)` is called with Unix milliseconds, whole steps of the history. */
export function select(plot, box, context) {
  const choose = (left, right) => {
    const { step } = context.history;
    const [a, b] = [plot.posToVal(Math.min(left, right), 'x'), plot.posToVal(Math.max(left, right), 'x')];
    const from = Math.floor(a / step) * step;
    context.onSelect(from, Math.max(from + step, Math.ceil(b / step) * step));
  };
  byPointer(plot, choose);
  byKeys(plot, box, context, choose);
}

/**
 * Mice and fingers. The chart captures the pointer while it drags: a release over any other place is its own. The chosen part
 * is drawn by the chart itself, so that it moves with time and is on all charts. Fingers that go up or down still scroll the
 * page (`touch-action`).
 */
function byPointer(plot, choose) {
  let start = null;
  const at = (event) => {
    const box = plot.over.getBoundingClientRect();
    return Math.min(Math.max(event.clientX - box.left, 0), box.width);
  };
  const mark = (left, width) => plot.setSelect({ left, width, top: 0, height: width ? plot.over.clientHeight : 0 }, false);
  const end = () => {
    const from = start;
    start = null;
    mark(0, 0);
    return from;
  };
  plot.over.addEventListener('pointerdown', (event) => {
    if (event.button !== 0 || !event.isPrimary) return;
    start = at(event);
    plot.over.setPointerCapture(event.pointerId);
  });
  plot.over.addEventListener('pointermove', (event) => {
    if (start === null) return;
    if (event.pointerType !== 'mouse') plot.setCursor({ left: at(event), top: 10 });
    mark(Math.min(start, at(event)), Math.abs(at(event) - start));
  });
  plot.over.addEventListener('pointerup', (event) => {
    if (start === null) return;
    const [from, to] = [end(), at(event)];
    if (Math.abs(to - from) >= SHORTEST * (event.pointerType === 'mouse' ? 1 : 2)) choose(from, to);
  });
  plot.over.addEventListener('pointercancel', end);
}

/** Arrow keys move the pointer by a fiftieth of the chart, with Shift they choose, Enter shows the lines. */
function byKeys(plot, box, context, choose) {
  let anchor = null;
  box.addEventListener('keydown', (event) => {
    const width = plot.over.clientWidth;
    const now = plot.cursor.left >= 0 ? plot.cursor.left : width;
    if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') {
      const next = Math.min(width, Math.max(0, now + (event.key === 'ArrowLeft' ? -1 : 1) * (width / 50)));
      anchor = event.shiftKey ? (anchor ?? now) : null;
      plot.setCursor({ left: next, top: 10 });
      const marked = anchor === null ? { left: 0, width: 0 } : { left: Math.min(anchor, next), width: Math.abs(anchor - next) };
      plot.setSelect({ ...marked, top: 0, height: plot.over.clientHeight }, false);
    } else if (event.key === 'Enter') {
      if (anchor === null) choose(now - width / 50, now);
      else choose(anchor, now);
      anchor = null;
      plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    } else return;
    event.preventDefault();
  });
  box.addEventListener('blur', () => {
    anchor = null;
    plot.setCursor({ left: -10, top: -10 });
    plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
  });
}
