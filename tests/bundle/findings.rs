//! What a check found wrong.

use std::fmt::Display;

/// Faults of the bundle: each names its file and the place in it.
#[derive(Debug, Default)]
pub(crate) struct Findings(Vec<String>);

impl Findings {
    /// Notes a fault at `path` (such as `panels[3].targets[0].expr`) of `file`.
    pub(crate) fn add(&mut self, file: &str, path: &str, fault: impl Display) {
        self.0.push(if path.is_empty() { format!("{file}: {fault}") } else { format!("{file}: {path}: {fault}") });
    }

    /// Notes a fault unless `right`.
    pub(crate) fn expect(&mut self, right: bool, file: &str, path: &str, fault: impl Display) {
        if !right {
            self.add(file, path, fault);
        }
    }

    /// Whether one fault's text holds all of `parts`.
    pub(crate) fn names(&self, parts: &[&str]) -> bool {
        self.0.iter().any(|fault| parts.iter().all(|part| fault.contains(part)))
    }

    /// Fails the test with every fault.
    #[track_caller]
    pub(crate) fn assert_none(&self) {
        assert!(self.0.is_empty(), "{} fault(s):\n  {}", self.0.len(), self.0.join("\n  "));
    }
}
