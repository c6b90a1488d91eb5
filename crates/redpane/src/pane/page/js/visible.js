// Text of clients that would change how a row reads: it is shown as what it is. Pure.

// Controls, and what has no width: marks that turn the direction of text around, joiners, separators of lines.
// Line feeds and tabs are what they look like.
const UNSEEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;

const escape = (character) => {
  const number = character.codePointAt(0).toString(16);
  return number.length > 4 ? `\\u{${number}}` : `\\u${number.padStart(4, '0')}`;
};

/** The same text with everything unseen as its escape: `\u202e`. */
export const visible = (text) => String(text).replace(UNSEEN, escape);

const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]|[\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/** Whether a text has letters that are written from right to left: beside others it has to be kept apart from them. */
export const turnsAround = (text) => RIGHT_TO_LEFT.test(text);
