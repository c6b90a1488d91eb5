//! Settings that cannot be used, as one message.

use std::fmt;

use super::variables::flag;

/// One setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadSetting {
    /// The environment variable, such as `REDPANE_LISTEN`.
    pub variable: &'static str,
    /// What was given, at most 120 characters of it.
    pub value: String,
    /// What would be right, worded to follow "must be".
    pub expected: String,
}

impl fmt::Display for BadSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variable, value, expected } = self;
        // Those of OpenTelemetry have no flag.
        match variable.starts_with("REDPANE_") {
            true => write!(f, "{variable} ({}) is {value:?}: must be {expected}", flag(variable)),
            false => write!(f, "{variable} is {value:?}: must be {expected}"),
        }
    }
}

/// Everything that is wrong with the settings of one start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadSettings(pub Vec<BadSetting>);

impl fmt::Display for BadSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, noun) = (self.0.len(), if self.0.len() == 1 { "setting" } else { "settings" });
        write!(f, "cannot start, {count} bad {noun}:")?;
        self.0.iter().try_for_each(|bad| write!(f, "\n  {bad}"))
    }
}

impl std::error::Error for BadSettings {}
