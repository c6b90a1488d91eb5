//! JSON strings (RFC 8259, section 7) from Rust values, appended to a byte buffer.
//!
//! More is escaped than JSON asks for: a line is also read on terminals and in browsers, where some characters steer, end a
//! line, or turn the order of text around ([`is_hidden`]).

use std::fmt::{self, Write as _};

/// The most bytes of one text value that a line keeps; the rest is cut off, visibly.
/// Escaped, it is at most six times as long.
pub(crate) const MAX_TEXT: usize = 8 * 1024;
/// What stands at the end of a text that was cut.
const CUT: &str = "…[cut]";

const PLAIN: u8 = 0;
const CONTROL: u8 = b'u';
/// The first byte of a character that may be [hidden](is_hidden). No letter behind a backslash.
const LEAD: u8 = b'*';

/// For each byte: [`PLAIN`], the letter behind the backslash, [`CONTROL`] for `\u00xx`, or [`LEAD`].
static ESCAPE: [u8; 256] = {
    let mut table = [PLAIN; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = CONTROL;
        byte += 1;
    }
    table[0x08] = b'b';
    table[0x09] = b't';
    table[0x0a] = b'n';
    table[0x0c] = b'f';
    table[0x0d] = b'r';
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table[0x7f] = CONTROL;
    // U+0080 to U+00BF, U+0600 to U+063F, U+2000 to U+2FFF.
    table[0xc2] = LEAD;
    table[0xd8] = LEAD;
    table[0xe2] = LEAD;
    table
};

/// Whether a character beyond ASCII steers a terminal (C1 controls), ends a line for readers that know Unicode (U+2028 and
/// U+2029), or changes the direction of the text around it, so that a line shows another text than it has.
pub(super) fn is_hidden(character: char) -> bool {
    matches!(character, '\u{80}'..='\u{9f}' | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Appends `text` between quotes, at most [`MAX_TEXT`] bytes of it.
pub(crate) fn text(out: &mut Vec<u8>, text: &str) {
    text_up_to(out, text, MAX_TEXT);
}

/// Appends `text` between quotes, at most `limit` bytes of it, cut between two characters.
pub(crate) fn text_up_to(out: &mut Vec<u8>, text: &str, limit: usize) {
    out.push(b'"');
    content(out, text, limit);
    out.push(b'"');
}

/// Appends `text` without quotes, at most `limit` bytes of it.
pub(crate) fn content(out: &mut Vec<u8>, text: &str, limit: usize) {
    if text.len() <= limit {
        escaped(out, text.as_bytes());
    } else {
        let end = floor_char_boundary(text, limit);
        escaped(out, &text.as_bytes()[..end]);
        out.extend_from_slice(CUT.as_bytes());
    }
}

/// Appends bytes that should be UTF-8 and need not be: what is not becomes U+FFFD.
pub(crate) fn bytes_up_to(out: &mut Vec<u8>, bytes: &[u8], limit: usize) {
    // Cut before decoding: a header of a megabyte costs no more than one of `limit` bytes.
    let kept = &bytes[..bytes.len().min(limit)];
    out.push(b'"');
    if kept.is_ascii() {
        escaped(out, kept);
    } else {
        lossy(out, kept);
    }
    if kept.len() < bytes.len() {
        out.extend_from_slice(CUT.as_bytes());
    }
    out.push(b'"');
}

/// Appends what `value` displays, between quotes, at most [`MAX_TEXT`] bytes of it.
pub(crate) fn display(out: &mut Vec<u8>, value: fmt::Arguments<'_>) {
    if let Some(constant) = value.as_str() {
        return text(out, constant);
    }
    out.push(b'"');
    let mut writer = Escaping { out, left: MAX_TEXT, cut: false };
    // A `Display` that fails half-way leaves what it wrote: a line with half a value beats no line.
    let _ = writer.write_fmt(value);
    if writer.cut {
        out.extend_from_slice(CUT.as_bytes());
    }
    out.push(b'"');
}

/// Appends the value, or `null`.
// For the same reason as `number::seconds`.
#[inline(always)]
pub(crate) fn optional<T>(out: &mut Vec<u8>, value: Option<T>, write: impl FnOnce(&mut Vec<u8>, T)) {
    match value {
        Some(value) => write(out, value),
        None => out.extend_from_slice(b"null"),
    }
}

/// The last place between two characters that is not past `limit`, which `str::floor_char_boundary` finds from Rust 1.91 on.
fn floor_char_boundary(text: &str, limit: usize) -> usize {
    if limit >= text.len() {
        return text.len();
    }
    // A character has at most four bytes.
    (0..=limit).rev().take(4).find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

fn lossy(out: &mut Vec<u8>, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        escaped(out, chunk.valid().as_bytes());
        if !chunk.invalid().is_empty() {
            out.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
}

fn escaped(out: &mut Vec<u8>, utf8: &[u8]) {
    if is_plain(utf8) {
        return out.extend_from_slice(utf8);
    }
    let first = utf8.iter().position(|byte| !is_plain_byte(byte)).unwrap_or(utf8.len());
    let (plain, utf8) = utf8.split_at(first);
    out.extend_from_slice(plain);
    let mut from = 0;
    for (at, &byte) in utf8.iter().enumerate() {
        let escape = ESCAPE[usize::from(byte)];
        let hidden = if escape == LEAD { hidden_at(&utf8[at..]) } else { None };
        if escape == PLAIN || (escape == LEAD && hidden.is_none()) {
            continue;
        }
        out.extend_from_slice(&utf8[from..at]);
        from = at + hidden.map_or(1, char::len_utf8);
        match hidden {
            Some(character) => by_number(out, u32::from(character)),
            None if escape == CONTROL => by_number(out, u32::from(byte)),
            None => out.extend_from_slice(&[b'\\', escape]),
        }
    }
    out.extend_from_slice(&utf8[from..]);
}

/// The character of two or three bytes that `utf8` begins with, if it is hidden.
fn hidden_at(utf8: &[u8]) -> Option<char> {
    let low = |at: usize| utf8.get(at).map(|byte| u32::from(byte & 0x3f));
    let number = match utf8[0] {
        lead @ 0xc0..0xe0 => u32::from(lead & 0x1f) << 6 | low(1)?,
        lead => u32::from(lead & 0x0f) << 12 | low(1)? << 6 | low(2)?,
    };
    char::from_u32(number).filter(|&character| is_hidden(character))
}

/// Appends `\uxxxx`.
fn by_number(out: &mut Vec<u8>, number: u32) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let digit = |shift: u32| HEX[(number >> shift & 0x0f) as usize];
    out.extend_from_slice(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]);
}

/// Whether nothing needs an escape, as is true of most texts: eight bytes at a time.
fn is_plain(utf8: &[u8]) -> bool {
    let plain = |word: &[u8; 8]| is_plain_word(u64::from_ne_bytes(*word));
    match utf8.last_chunk() {
        // It overlaps the word before it.
        Some(last) => utf8.as_chunks().0.iter().all(plain) && plain(last),
        None => utf8.iter().all(is_plain_byte),
    }
}

fn is_plain_byte(byte: &u8) -> bool {
    ESCAPE[usize::from(*byte)] == PLAIN
}

/// Whether none of eight bytes is a control character, a quote, a backslash, DEL, or beyond ASCII. Each test leaves the
/// high bit of a byte that fails; what it borrows from the next byte, it borrows only where it fails.
fn is_plain_word(word: u64) -> bool {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    let below = |word: u64, bound: u64| word.wrapping_sub(ONES * bound);
    let equal = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (word | below(word, 0x20) | equal(b'"') | equal(b'\\') | equal(0x7f)) & HIGH == 0
}

struct Escaping<'a> {
    out: &'a mut Vec<u8>,
    left: usize,
    cut: bool,
}

impl fmt::Write for Escaping<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = floor_char_boundary(text, self.left);
        escaped(self.out, &text.as_bytes()[..end]);
        self.left -= end;
        if end < text.len() {
            self.cut = true;
            // Ends the formatting: a value of a gigabyte is not formatted to its end only to be thrown away.
            return Err(fmt::Error);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(write: impl FnOnce(&mut Vec<u8>)) -> serde_json::Value {
        let mut out = Vec::new();
        write(&mut out);
        assert!(!out.contains(&b'\n'), "a line break would end the log line");
        serde_json::from_slice(&out).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&out)))
    }

    proptest! {
        #[test]
        fn any_string_comes_back(value: String) {
            prop_assert_eq!(encoded(|out| text(out, &value)), value.clone());
            prop_assert_eq!(encoded(|out| display(out, format_args!("{value}"))), value);
        }

        #[test]
        fn no_hidden_character_stays(value in "[\u{20}-\u{2070}]{0,40}") {
            let mut out = Vec::new();
            text(&mut out, &value);
            let shown = String::from_utf8(out).unwrap();
            prop_assert!(!shown.contains(|character: char| character.is_control() || is_hidden(character)), "{shown:?}");
            prop_assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), value);
        }

        #[test]
        fn any_bytes_come_back_as_the_standard_library_reads_them(value: Vec<u8>) {
            prop_assert_eq!(encoded(|out| bytes_up_to(out, &value, MAX_TEXT)), String::from_utf8_lossy(&value).into_owned());
        }

        #[test]
        fn a_long_value_is_cut_between_characters(value in "\\PC{0,40}", limit in 0_usize..50) {
            let cut = encoded(|out| text_up_to(out, &value, limit));
            let kept = cut.as_str().unwrap().trim_end_matches(CUT);
            prop_assert!(value.starts_with(kept) && kept.len() <= limit.max(value.len().min(limit)));
            prop_assert_eq!(kept.len() < value.len(), cut.as_str().unwrap().ends_with(CUT) && !value.ends_with(CUT));
        }
    }

    #[test]
    fn a_value_that_never_ends_is_cut() {
        struct Endless;
        impl fmt::Display for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                loop {
                    f.write_str("again and ")?;
                }
            }
        }
        let shown = encoded(|out| display(out, format_args!("{Endless}")));
        assert!(shown.as_str().unwrap().ends_with(CUT));
    }
}
