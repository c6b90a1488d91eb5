// The search field: words are text that a line has; `field=value` is a field of it. Pure.

/**
 * `timeout status=500 tenant="acme & co"` gives the text `timeout` and two fields. Words that follow each other are one text,
 * as they were typed. A value with blanks is put in quotes.
 */
export function parseSearch(text) {
  const fields = [];
  const rest = text.replace(/(^|\s)([A-Za-z_][\w.:-]*)=("(?:[^"\\]|\\.)*"|[^\s"]+)(?=\s|$)/g, (_, before, key, value) => {
    const plain = value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value;
    if (fields.length < 8) fields.push({ key, value: plain });
    return before;
  });
  return { contains: rest.replace(/\s+/g, ' ').trim(), fields };
}

/** One field as it is typed. */
export function formatField(key, value) {
  const text = String(value);
  return /^[^\s"]+$/.test(text) ? `${key}=${text}` : `${key}="${text.replace(/["\\]/g, '\\$&')}"`;
}

/** The search with this field added, unless it is there. */
export function withField(search, key, value) {
  const word = formatField(key, value);
  return search.includes(word) ? search : `${search.trim()} ${word}`.trim();
}

/** The longest text that the service looks for. */
const MOST_BYTES = 256;

/** The beginning of a text that has so many bytes in UTF-8, cut between characters. */
function firstBytes(text, most) {
  const bytes = new TextEncoder().encode(text);
  return bytes.length > most ? new TextDecoder().decode(bytes.subarray(0, most)).replace(/\uFFFD+$/, '') : text;
}

/** The parameters of `api/lines` and `api/live` for a view. */
export function lineParameters(view) {
  const { contains, fields } = parseSearch(view.search);
  return {
    level: view.level,
    method: view.method,
    route: view.route,
    contains: firstBytes(contains, MOST_BYTES),
    field: fields.map(({ key, value }) => `${key}:${value}`),
  };
}
