//! Levels as an array has them.

use tracing::Level;

/// The values of the label `level`, in the order of [`level_index`].
pub(crate) const LEVELS: [&str; 5] = ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"];

/// The position of a level in [`LEVELS`].
pub(crate) fn level_index(level: Level) -> usize {
    match level {
        Level::ERROR => 0,
        Level::WARN => 1,
        Level::INFO => 2,
        Level::DEBUG => 3,
        Level::TRACE => 4,
    }
}
