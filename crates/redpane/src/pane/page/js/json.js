// Reads JSON without changing what it says. Pure.

/** The integers of JavaScript have 53 bits: longer ones would be shown with other digits, and not be found by them. */
const MAY_BE_LARGE = /[:,[]-?\d{16,}[,}\]]/;
const PART = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

const exact = (part) => (/^-?\d{16,}$/.test(part) && !Number.isSafeInteger(Number(part)) ? `"${part}"` : part);

/** What a text says; an integer that a number does not hold is a text of its digits. */
export const parseJson = (text) => JSON.parse(MAY_BE_LARGE.test(text) ? text.replace(PART, exact) : text);
