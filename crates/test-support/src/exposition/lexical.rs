//! The lexical parts of an exposition: names, label sets, numbers, escapes.

use std::collections::BTreeMap;

/// The labels of a sample.
pub type Labels = BTreeMap<String, String>;

/// Letters, digits, underscores, and colons where `colons`; not a digit first.
pub(super) fn check_name(name: &str, colons: bool) -> Result<(), String> {
    let letter = |at: usize, byte: u8| {
        byte.is_ascii_alphabetic() || byte == b'_' || (colons && byte == b':') || (at > 0 && byte.is_ascii_digit())
    };
    let valid = !name.is_empty() && name.bytes().enumerate().all(|(at, byte)| letter(at, byte));
    if valid { Ok(()) } else { Err(format!("{name:?} is not a name")) }
}

/// Reads `{name="value",…}` at the start of `text`; returns the labels and the rest.
pub(super) fn labels(text: &str) -> Result<(Labels, &str), String> {
    let mut found = Labels::new();
    let mut rest = text.strip_prefix('{').ok_or("no label set")?;
    if let Some(rest) = rest.strip_prefix('}') {
        return Ok((found, rest));
    }
    loop {
        let (name, value) = rest.split_once("=\"").ok_or_else(|| format!("no label at {rest:?}"))?;
        check_name(name, false)?;
        if name.starts_with("__") {
            return Err(format!("the label name {name} is reserved"));
        }
        let (value, after) = quoted(value)?;
        if found.insert(name.to_owned(), value).is_some() {
            return Err(format!("the label {name} comes twice"));
        }
        match after.split_at_checked(1) {
            Some((",", more)) => rest = more,
            Some(("}", more)) => return Ok((found, more)),
            _ => return Err(format!("no comma or brace at {after:?}")),
        }
    }
}

/// Reads up to the quote that ends a label value.
fn quoted(text: &str) -> Result<(String, &str), String> {
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Ok((unescape(&text[..at], "\\\"n")?, &text[at + 1..])),
            _ => {}
        }
    }
    Err(format!("a label value without end: {text:?}"))
}

/// Resolves escapes; only `allowed` may stand behind a backslash.
pub(super) fn unescape(text: &str, allowed: &str) -> Result<String, String> {
    let mut plain = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            plain.push(character);
            continue;
        }
        match characters.next().filter(|letter| allowed.contains(*letter)) {
            Some('n') => plain.push('\n'),
            Some(other) => plain.push(other),
            None => return Err(format!("a bad escape in {text:?}")),
        }
    }
    Ok(plain)
}

/// A number as both formats write it: no names of infinity but `+Inf` and `-Inf`, no spelling of NaN but this one.
pub(super) fn number(text: &str) -> Result<f64, String> {
    match text {
        "+Inf" => Ok(f64::INFINITY),
        "-Inf" => Ok(f64::NEG_INFINITY),
        "NaN" => Ok(f64::NAN),
        _ if text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.e".contains(&byte)) => {
            text.parse().map_err(|error| format!("{text:?}: {error}"))
        }
        _ => Err(format!("{text:?} is not a number")),
    }
}
