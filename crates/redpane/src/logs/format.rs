//! How lines look.

/// How lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogFormat {
    /// One JSON object a line.
    #[default]
    Json,
    /// The same line for a person at a terminal: time, level, target, message, `key=value`. Slower; not for collectors.
    Pretty,
}
