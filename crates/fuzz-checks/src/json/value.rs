//! Values of fields, as an application may give them and as a line must show them.
//!
//! The first byte says what it is: `t` text, `T` the same over and over, `d` something with `Display`, `D` with `Debug`,
//! `b` bytes, `e` an error whose sources are separated by newlines, `i` and `w` signed numbers of 64 and 128 bits, `n` and
//! `N` unsigned ones, `f` a float, `F` a float by its bits, `y` true; anything else is `false`.

use std::error::Error;
use std::fmt;

use serde_json::Value as Json;
use tracing::Value;
use tracing::field::{debug, display};

use super::super::input::{number, text};

/// The most bytes of a text that a line keeps, by docs/library.md.
const MAX_TEXT: usize = 8 * 1024;
/// Bytes that no line keeps all of.
const LONG: usize = 2 * MAX_TEXT;

#[derive(Clone, Debug)]
pub(super) enum Given {
    Text(String),
    Display(String),
    Debug(Vec<String>),
    Bytes(Vec<u8>),
    Error(Vec<String>),
    Signed(i128),
    Unsigned(u128),
    Float(f64),
    Bool(bool),
}

/// An error with the errors it comes from.
#[derive(Debug)]
struct Chain(String, Option<Box<Chain>>);

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Chain {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|source| source as _)
    }
}

/// A text, cut between two characters where it is longer than `limit` bytes.
pub(super) fn cut(text: &str, limit: usize) -> String {
    let whole = (0..=limit).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    if text.len() <= limit { text.to_owned() } else { format!("{}…[cut]", &text[..whole]) }
}

impl Given {
    pub(super) fn read(bytes: &[u8]) -> Self {
        let (kind, rest) = bytes.split_first().map_or((b' ', bytes), |(kind, rest)| (*kind, rest));
        let lines = || text(rest).split('\n').map(String::from).collect();
        match kind {
            b't' => Self::Text(text(rest)),
            b'T' => Self::Text(text(rest).repeat(LONG / rest.len().max(1))),
            b'd' => Self::Display(text(rest)),
            b'D' => Self::Debug(lines()),
            b'b' => Self::Bytes(rest.to_vec()),
            b'e' => Self::Error(lines()),
            b'i' => Self::Signed(number::<i64>(rest).unwrap_or(-1).into()),
            b'w' => Self::Signed(number(rest).unwrap_or(i128::MIN)),
            b'n' => Self::Unsigned(number::<u64>(rest).unwrap_or(u64::MAX).into()),
            b'N' => Self::Unsigned(number(rest).unwrap_or(u128::MAX)),
            b'f' => Self::Float(number(rest).unwrap_or(f64::NAN)),
            b'F' => Self::Float(f64::from_bits(rest.iter().fold(0, |bits, byte| bits << 8 | u64::from(*byte)))),
            _ => Self::Bool(kind == b'y'),
        }
    }

    /// As `tracing` takes it.
    pub(super) fn value(&self) -> Box<dyn Value + '_> {
        match self {
            Self::Text(text) => Box::new(text.as_str()),
            Self::Display(text) => Box::new(display(text)),
            Self::Debug(list) => Box::new(debug(list)),
            Self::Bytes(bytes) => Box::new(bytes.as_slice()),
            Self::Error(texts) => {
                let chain = texts.iter().rev().fold(None, |source, text| Some(Box::new(Chain(text.clone(), source))));
                let error: Box<dyn Error> = chain.unwrap_or_else(|| Box::new(Chain(String::new(), None)));
                Box::new(error)
            }
            Self::Signed(value) => match i64::try_from(*value) {
                Ok(value) => Box::new(value),
                Err(_) => Box::new(*value),
            },
            Self::Unsigned(value) => match u64::try_from(*value) {
                Ok(value) => Box::new(value),
                Err(_) => Box::new(*value),
            },
            Self::Float(value) => Box::new(*value),
            Self::Bool(value) => Box::new(*value),
        }
    }

    /// What a line shows of it as the message.
    pub(super) fn message(&self) -> String {
        cut(&self.text(), MAX_TEXT)
    }

    fn text(&self) -> String {
        match self {
            Self::Text(text) | Self::Display(text) => text.clone(),
            Self::Debug(list) => format!("{list:?}"),
            Self::Bytes(bytes) => {
                let digits: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                format!("[{}]", digits.join(" "))
            }
            Self::Error(texts) => texts.join(": "),
            Self::Signed(value) => value.to_string(),
            Self::Unsigned(value) => value.to_string(),
            Self::Float(value) => value.to_string(),
            Self::Bool(value) => value.to_string(),
        }
    }

    /// Whether a line shows it as the value of a field.
    pub(super) fn is_shown_as(&self, shown: &Json) -> bool {
        match self {
            Self::Signed(value) => {
                i64::try_from(*value).map_or_else(|_| *shown == value.to_string(), |value| *shown == value)
            }
            Self::Unsigned(value) => {
                u64::try_from(*value).map_or_else(|_| *shown == value.to_string(), |value| *shown == value)
            }
            Self::Float(value) if value.is_nan() => shown == "NaN",
            Self::Float(f64::INFINITY) => shown == "+Inf",
            Self::Float(f64::NEG_INFINITY) => shown == "-Inf",
            // `serde_json` reads floats fast and not always to the last digit.
            Self::Float(value) => {
                shown.as_f64().is_some_and(|read| (read - value).abs() <= value.abs() * 1e-14 + 1e-320)
            }
            Self::Bool(value) => shown == value,
            text => shown == &text.message(),
        }
    }
}
