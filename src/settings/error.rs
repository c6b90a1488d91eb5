//! Settings that cannot be used, as one message.

use std::borrow::Cow;
use std::fmt;

use super::variables::flag;

/// One setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadSetting {
    /// The environment variable, such as `REDPANE_LISTEN`.
    pub variable: Cow<'static, str>,
    /// What was given, at most 120 characters of it. Of headers, which may be secrets, nothing.
    pub value: String,
    /// What is wrong with it, or what would be right.
    pub problem: String,
}

impl fmt::Display for BadSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variable, value, problem } = self;
        // Those of OpenTelemetry have no flag.
        match variable.starts_with("REDPANE_") {
            true => write!(f, "{variable} ({}) is {value:?}: {problem}", flag(variable)),
            false => write!(f, "{variable} is {value:?}: {problem}"),
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
