//! A text that is looked for in lines, in upper or lower case (of ASCII).

use memchr::{memchr_iter, memchr2_iter};

/// Bytes that lines are full of, the most frequent first. What is not among them is looked for first.
const FREQUENT: &[u8] = b"\"e0tas:r,ion1l2dp3c5u4m_7698h-g.b/f{}vywkxzqj";

/// See the module.
pub(super) struct Text {
    text: Vec<u8>,
    /// The place of its byte that is the least frequent in lines.
    rare: usize,
}

impl Text {
    pub(super) fn new(text: &str) -> Self {
        let text = text.as_bytes().to_ascii_lowercase();
        let rank = |byte: &u8| FREQUENT.iter().position(|frequent| frequent == byte).unwrap_or(FREQUENT.len());
        let rare = (0..text.len()).max_by_key(|at| rank(&text[*at])).unwrap_or(0);
        Self { text, rare }
    }

    pub(super) fn is_in(&self, line: &[u8]) -> bool {
        let Some(lower) = self.text.get(self.rare).copied() else { return true };
        let is_at = |place: usize| {
            let start = place.checked_sub(self.rare);
            let found = start.and_then(|start| line.get(start..start + self.text.len()));
            found.is_some_and(|found| found.eq_ignore_ascii_case(&self.text))
        };
        match lower.to_ascii_uppercase() {
            upper if upper == lower => memchr_iter(lower, line).any(is_at),
            upper => memchr2_iter(lower, upper, line).any(is_at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_found_wherever_it_stands() {
        let line = "{\"level\":\"WARN\",\"path\":\"/Übung/Timeout\",\"status\":404}";
        for text in ["", "{", "}", "warn", "TIMEOUT\"", "/Übung/", "404}", "\"status\":4", line] {
            assert!(Text::new(text).is_in(line.as_bytes()), "{text}");
        }
        for text in ["warns", "/übung", "4040", "x", "timeout\"}", "{{"] {
            assert!(!Text::new(text).is_in(line.as_bytes()), "{text}");
        }
        assert!(Text::new("").is_in(b"") && !Text::new("a").is_in(b""));
    }
}
