//! Recording fields from anywhere inside a request.

use std::any::type_name;
use std::error::Error;
use std::fmt::Write as _;

use super::context::RequestContext;
use super::current::{current, with_current};
use super::error_chain::ErrorChain;
use super::fields::{CUT, FieldName, FieldValue, start};

/// The most bytes of the text of an error that are recorded.
const MAX_ERROR: usize = 2 * 1024;

/// Adds a field to the access line of the request that this code runs for, beside the fields that every line has. Outside
/// of a request it does nothing.
///
/// A later value of the same name replaces the earlier one. A request keeps at most 16 fields and 4 KiB of names and
/// values; what is more is dropped, and the line says how often in `fields_dropped`. A name that the line has already
/// gets the prefix `field.`.
///
/// ```
/// # async fn handler() {
/// redpane::record("tenant", "acme");
/// redpane::record("items", 3);
/// # }
/// ```
pub fn record(name: impl Into<FieldName>, value: impl Into<FieldValue>) {
    let (name, value) = (name.into(), value.into());
    with_current(|context| {
        if let Some(context) = context {
            context.record_field(name, value);
        }
    });
}

/// Adds the cause of a failure to the access line of the request that this code runs for: `error`, the error and its
/// sources in one line, at most 2 KiB of it, and `error_type`, the name of its type, which a `dyn Error` has lost. Outside of a
/// request it does nothing.
///
/// A later error replaces the earlier one. Where the fields of [`record()`] leave no room, the text is shortened to what is
/// left, but not below 512 bytes: then other fields give way, the latest first, and `fields_dropped` counts them.
///
/// The status and the level of the request do not change: answer with the status that fits. An `anyhow::Error` is no error
/// itself and holds one: `record_error(&*error)`.
///
/// ```
/// # fn charge() -> Result<(), std::io::Error> { Ok(()) }
/// # async fn handler() {
/// if let Err(error) = charge() {
///     redpane::record_error(&error);
/// }
/// # }
/// ```
pub fn record_error<E: Error + ?Sized>(error: &E) {
    if let Some(context) = current() {
        context.record_error(error);
    }
}

impl RequestContext {
    /// Adds a field to the access line of this request; see [`record`](crate::record()).
    pub fn record(&self, name: impl Into<FieldName>, value: impl Into<FieldValue>) {
        self.record_field(name.into(), value.into());
    }

    /// Adds the cause of a failure to the access line of this request; see [`record_error`](crate::record_error()).
    pub fn record_error<E: Error + ?Sized>(&self, error: &E) {
        self.record_cause(&shown(error), own_name::<E>());
    }
}

/// The cause of a failure as it is recorded.
#[cfg(feature = "axum")]
#[derive(Clone, Debug)]
pub(crate) struct Cause {
    text: Box<str>,
    type_name: Option<&'static str>,
}

#[cfg(feature = "axum")]
impl Cause {
    /// Of an error, or of what can become one, as `anyhow::Error` can.
    pub(crate) fn of<E: Into<Box<dyn Error + Send + Sync>>>(error: E) -> Self {
        let error: Box<dyn Error + Send + Sync> = error.into();
        Self { text: shown(&*error).into(), type_name: own_name::<E>() }
    }

    /// Adds it to the access line of the request that this code runs for.
    pub(crate) fn record(self) {
        if let Some(context) = current() {
            context.record_cause(&self.text, self.type_name);
        }
    }
}

/// The name of a type, unless it holds errors of any type.
fn own_name<E: ?Sized>() -> Option<&'static str> {
    let name = type_name::<E>();
    let holds_any = ["dyn ", "alloc::boxed::Box<dyn ", "anyhow::Error", "eyre::Report", "alloc::string::String", "&"];
    (!holds_any.iter().any(|holder| name.starts_with(holder))).then_some(name)
}

/// The text of an error with its causes, within a bound.
pub(crate) fn shown<E: Error + ?Sized>(error: &E) -> String {
    let mut text = Bounded(String::new());
    let written = match error.source() {
        Some(source) => write!(text, "{error}: {}", ErrorChain(source)),
        None => write!(text, "{error}"),
    };
    // Fails where the bound cuts it.
    if written.is_err() {
        text.0.push_str(CUT);
    }
    text.0
}

/// A text of at most [`MAX_ERROR`] bytes.
struct Bounded(String);

impl std::fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let room = MAX_ERROR - self.0.len();
        if text.len() <= room {
            self.0.push_str(text);
            return Ok(());
        }
        self.0.push_str(start(text, room));
        Err(std::fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Failed(String, Option<Box<Failed>>);

    impl std::fmt::Display for Failed {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(&self.0)
        }
    }

    impl Error for Failed {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|source| source as &(dyn Error + 'static))
        }
    }

    #[test]
    fn an_error_is_shown_with_its_causes_within_a_bound() {
        let error = Failed("cannot pay".into(), Some(Box::new(Failed("refused".into(), None))));
        assert_eq!(shown(&error), "cannot pay: refused");
        let long = Failed("ä".repeat(MAX_ERROR), None);
        assert_eq!(shown(&long), format!("{}{CUT}", "ä".repeat(MAX_ERROR / 2)));
    }
}
