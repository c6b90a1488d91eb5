//! What is told when nothing of a request is left.

use super::fields::RecordedFields;

/// Told when nothing of a request is left.
pub(crate) trait LastHandle: Send + Sync {
    /// Its last handle is dropped. `fields` are those that were recorded since its end; `panicked` says that something which
    /// ran in it since then has.
    fn dropped(&mut self, fields: Option<RecordedFields>, panicked: bool);
}
