// Elements are made here and nowhere else. What comes from the service is only ever text or an attribute's value:
// there is no way from a line to markup. Characters that are not seen, but change what is, are shown by their numbers.
import { turnsAround, visible } from './visible.js';

/** Attributes that are read as text. */
const READ = new Set(['title', 'aria-label', 'placeholder', 'aria-valuetext']);

/**
 * An element with attributes, `class`, `on…` listeners and children.
 * Strings among the children become text nodes.
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : READ.has(name) ? visible(value) : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined).map((child) => (child instanceof Node ? child : visible(child))));
  return element;
}

export const byId = (id) => document.getElementById(id);

/** Sets text only where it differs: an unchanged text node costs no layout and no announcement. */
export function setText(element, text) {
  const shown = visible(text);
  if (element.textContent !== shown) element.textContent = shown;
}

/** What a pointer that rests on an element is told. */
export function setTitle(element, text) {
  const shown = visible(text);
  if (element.title !== shown) element.title = shown;
}

/** Words one after the other, of which none turns its neighbours around. */
export function setWords(element, words) {
  const text = words.join(' ');
  if (!turnsAround(text)) return setText(element, text);
  element.replaceChildren(...words.flatMap((word) => [el('bdi', {}, word), ' ']));
}

/** Calls this once before the next frame, however often it is asked for. A hidden page draws nothing. */
export function oncePerFrame(draw) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      draw();
    });
  };
}

/** The custom properties of the style sheet, for what is drawn on a canvas. */
export function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
