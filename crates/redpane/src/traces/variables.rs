//! Variables, each of them read on its own, and what is wrong with them.

use std::str::FromStr;

use super::bad_variable::BadVariable;

/// Reads variables and collects what is wrong with them.
pub(super) struct Variables<'a> {
    look: &'a dyn Fn(&str) -> Option<String>,
    pub(super) problems: Vec<BadVariable>,
    /// What is said at start: values that change nothing.
    pub(super) notes: Vec<String>,
}

impl<'a> Variables<'a> {
    pub(super) fn new(look: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { look, problems: Vec::new(), notes: Vec::new() }
    }

    pub(super) fn get(&self, name: &str) -> Option<String> {
        (self.look)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// The variable of traces, else that of all signals; with its name.
    pub(super) fn of_traces(&self, rest: &str) -> Option<(String, String)> {
        let names = [format!("OTEL_EXPORTER_OTLP_TRACES_{rest}"), format!("OTEL_EXPORTER_OTLP_{rest}")];
        names.into_iter().find_map(|name| self.get(&name).map(|value| (name, value)))
    }

    pub(super) fn bad(&mut self, variable: impl Into<String>, value: impl Into<String>, problem: impl Into<String>) {
        self.problems.push(BadVariable { variable: variable.into(), value: value.into(), problem: problem.into() });
    }

    /// `true` or `false` in any case. Anything else is false for the specification, and named as a bad value here.
    pub(super) fn flag(&mut self, name: &str) -> bool {
        let value = self.get(name).unwrap_or_default();
        let is_true = value.eq_ignore_ascii_case("true");
        if !is_true && !value.is_empty() && !value.eq_ignore_ascii_case("false") {
            self.bad(name, value, "true or false is right");
        }
        is_true
    }

    pub(super) fn count(&mut self, name: &str) -> Option<u64> {
        self.parsed::<std::num::NonZeroU64>(name, "a whole number above zero, as in 512").map(Into::into)
    }

    pub(super) fn parsed<T: FromStr>(&mut self, name: &str, right: &str) -> Option<T> {
        let value = self.get(name)?;
        let parsed = value.parse().ok();
        if parsed.is_none() {
            self.bad(name, value, format!("{right}, is right"));
        }
        parsed
    }
}
