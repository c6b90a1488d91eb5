//! What is wrong with variables.

use std::fmt;

/// A variable that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BadVariable {
    /// Its name.
    pub variable: String,
    /// Its value; nothing of headers, where a name may be a secret that was put in its place.
    pub value: String,
    /// What is wrong with that, and what would be right.
    pub problem: String,
}

/// Every variable that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentError(Vec<BadVariable>);

impl EnvironmentError {
    /// Of at least one.
    pub(super) fn of(problems: Vec<BadVariable>) -> Self {
        Self(problems)
    }

    /// Every one of them.
    #[must_use]
    pub fn problems(&self) -> &[BadVariable] {
        &self.0
    }
}

impl fmt::Display for EnvironmentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, BadVariable { variable, value, problem }) in self.0.iter().enumerate() {
            write!(f, "{}{variable}={value:?}: {problem}", if at > 0 { "; " } else { "" })?;
        }
        Ok(())
    }
}

impl std::error::Error for EnvironmentError {}
