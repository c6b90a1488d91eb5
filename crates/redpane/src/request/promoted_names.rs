//! The names of `tracing` span fields that become fields of the request.

use std::sync::Arc;

use tracing::Metadata;

/// The names that one telemetry promotes. Its address tells whose they are.
#[derive(Debug)]
pub(crate) struct PromotedNames(Vec<String>);

impl PromotedNames {
    /// `None` where there are none: then nothing is asked.
    pub(crate) fn new(names: Vec<String>) -> Option<Arc<Self>> {
        (!names.is_empty()).then(|| Arc::new(Self(names)))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|promoted| promoted == name)
    }

    /// Whether this describes a span that may have one of the fields.
    pub(crate) fn are_in(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span() && metadata.fields().iter().any(|field| self.has(field.name()))
    }
}
