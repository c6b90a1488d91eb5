//! Where the text of settings comes from.

use std::ffi::OsString;

/// The command line over the environment, or a map in a test.
pub trait Source {
    /// The text given for `variable` (such as `REDPANE_LISTEN`), if any was.
    fn value(&self, variable: &str) -> Option<OsString>;
}

impl<F: Fn(&str) -> Option<OsString>> Source for F {
    fn value(&self, variable: &str) -> Option<OsString> {
        self(variable)
    }
}
