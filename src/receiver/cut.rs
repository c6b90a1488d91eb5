//! Texts cut by what they take on a line, where a character of one byte may become six.

use std::borrow::Cow;

/// What is left of each end of a mistake, in bytes on a line.
const ENDS: usize = 100;

/// The most bytes that a character takes on a line. Letters and digits are written as they are; of what else is beyond
/// ASCII, some is escaped by its number.
fn escaped_len(character: char) -> usize {
    match character {
        '"' | '\\' => 2,
        ' '..='~' => 1,
        _ if character.is_alphanumeric() => character.len_utf8(),
        _ => 6,
    }
}

/// How many bytes of `characters` take at most `limit` bytes on a line, cut between two of them.
fn fitting(characters: impl Iterator<Item = char>, limit: usize) -> usize {
    let mut left = limit;
    let fitting = characters.map_while(|character| {
        left = left.checked_sub(escaped_len(character))?;
        Some(character.len_utf8())
    });
    fitting.sum()
}

/// A text that takes at most `limit` bytes on a line, and three more where its end is cut off.
pub(super) fn cut(text: &str, limit: usize) -> Cow<'_, str> {
    match fitting(text.chars(), limit) {
        all if all == text.len() => Cow::Borrowed(text),
        end => Cow::Owned(format!("{}…", &text[..end])),
    }
}

/// What is wrong, its middle cut out where it is long: it may repeat a text of any length.
pub(super) fn shortened(mistake: &str) -> String {
    let head = fitting(mistake.chars(), ENDS);
    let tail = fitting(mistake.chars().rev(), ENDS);
    if head + tail >= mistake.len() {
        return mistake.to_owned();
    }
    format!("{}…[cut]…{}", &mistake[..head], &mistake[mistake.len() - tail..])
}

/// What is wrong, without line and column: they count from the beginning of a part, which nobody has in front of them.
pub(super) fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).map(str::to_owned).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_mistake_keeps_its_ends() {
        let long = format!("invalid type: string \"{}\", expected a map", "\u{e9}".repeat(1000));
        let short = shortened(&long);
        assert!(short.starts_with("invalid type: string") && short.ends_with("expected a map"), "{short}");
        assert!(short.chars().count() < 250, "{short}");
        for whole in ["", "short", &"x".repeat(200)] {
            assert_eq!(shortened(whole), whole);
        }
    }

    #[test]
    fn a_text_is_cut_by_what_it_takes_on_a_line() {
        for (text, limit, expected) in [
            ("", 0, ""),
            ("payments", 8, "payments"),
            ("payments", 7, "payment…"),
            ("支払い", 9, "支払い"),
            ("支払い", 8, "支払…"),
            ("a\"b", 4, "a\"b"),
            ("a\"b", 3, "a\"…"),
            ("\u{2028}\u{2028}", 12, "\u{2028}\u{2028}"),
            ("\u{2028}\u{2028}", 11, "\u{2028}…"),
            ("\u{7f}", 5, "…"),
        ] {
            assert_eq!(cut(text, limit), expected, "{text:?}, {limit}");
        }
    }

    #[test]
    fn what_is_counted_is_what_json_takes_at_most() {
        for character in '\0'..=char::MAX {
            let json = serde_json::to_string(&character).expect("JSON");
            assert!(json.len() - 2 <= escaped_len(character), "{character:?} is {json}");
        }
    }
}
