// The search field: words are text that a line has; `field=value` is a field of it. Pure.

/** The most fields, and the longest text, that the service looks for. */
const MOST_FIELDS = 8;
const MOST_BYTES = 256;

/** Names that can be searched for. The API has a colon behind them, so they have none. */
const NAME = /[\p{L}_][\p{L}\p{N}_.-]*/u;
const WHOLE_NAME = new RegExp(`^${NAME.source}$`, 'u');
/** A field as it is typed: what is before it, its name, its value. */
const FIELD = new RegExp(`(^|\\s)(${NAME.source})=("(?:[^"\\\\]|\\\\.)*"|[^\\s"]+)(?=\\s|$)`, 'gu');

/**
 * `timeout status=500 tenant="acme & co"` gives the text `timeout` and two fields. Words that follow each other are one text,
 * as they were typed. A value with blanks is put in quotes.
 */
export function parseSearch(text) {
  const fields = [];
  const unused = [];
  const rest = text.replace(FIELD, (_, before, key, value) => {
    const plain = value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value;
    // What the service does not take is said to whoever typed it, not left out.
    (fields.length < MOST_FIELDS ? fields : unused).push({ key, value: plain });
    return before;
  });
  return { contains: rest.replace(/\s+/g, ' ').trim(), fields, unused };
}

/** What of a search is not done as somebody may think: a sentence, or nothing. */
export function searchNote(text) {
  const { contains, fields, unused } = parseSearch(text);
  const notes = [];
  if (unused.length) notes.push(`At most ${MOST_FIELDS} fields: ${unused.map(({ key, value }) => formatField(key, value)).join(' ')} is not used.`);
  if (firstBytes(contains, MOST_BYTES) !== contains) notes.push(`Only the first ${MOST_BYTES} bytes of the text are looked for.`);
  const word = /(?:^|\s)(OR|AND|NOT|\|\|?|&&)(?=\s|$)/.exec(contains)?.[1];
  if (word) notes.push(`${word} is looked for as it stands: a line must have the whole text, and all fields.`);
  const compared = /(?:^|\s)([A-Za-z_][\w.:-]*\s*(?:!=|!~|>=?|<=?)\s*\S*)/.exec(contains)?.[1];
  if (compared) notes.push(`${compared} is looked for as it stands: fields are compared with = only.`);
  const pattern = fields.find(({ value }) => value.startsWith('~'));
  if (pattern) notes.push(`${pattern.key} is compared with ${pattern.value} as it stands: there are no patterns.`);
  return notes.join(' ');
}

/** One field as it is typed. */
export function formatField(key, value) {
  const text = String(value);
  return /^[^\s"]+$/.test(text) ? `${key}=${text}` : `${key}="${text.replace(/["\\]/g, '\\$&')}"`;
}

/** Whether lines can be searched for a field of this name. */
export const canFilterBy = (key) => WHOLE_NAME.test(key);

/** The search with this field added, unless it is there. */
export function withField(search, key, value) {
  const { fields, unused } = parseSearch(search);
  const isThere = [...fields, ...unused].some((field) => field.key === key && field.value === String(value));
  return isThere ? search : `${search.trim()} ${formatField(key, value)}`.trim();
}

/** The search without the field of this number, everything else as it was typed. */
export function withoutField(search, number) {
  let at = -1;
  return search.replace(FIELD, (word) => ((at += 1) === number ? '' : word)).trim();
}

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
