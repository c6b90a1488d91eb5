//! What stands around the spans of a batch: the resource that they come from, and who made them.

use super::encode::{Value, attribute, bytes, head, length_of};

/// Who made the spans: name and version of an instrumentation scope.
const SCOPE: (&str, &str) = ("redpane", env!("CARGO_PKG_VERSION"));
/// The version of the semantic conventions that the attributes follow: the first that has those for RPC as they are stable.
const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.45.0";

/// The resource and the scope of all batches, encoded once.
pub(crate) struct Envelope {
    resource: Vec<u8>,
    scope: Vec<u8>,
}

impl Envelope {
    /// Of the attributes of the resource. A later value of the same name replaces the earlier one.
    pub(crate) fn new(attributes: &[(String, String)]) -> Self {
        let mut resource = Vec::new();
        for (at, (key, value)) in attributes.iter().enumerate() {
            if !attributes[at + 1..].iter().any(|(later, _)| later == key) {
                attribute(&mut resource, 1, key, Value::Text(value));
            }
        }
        let mut scope = Vec::new();
        bytes(&mut scope, 1, SCOPE.0.as_bytes());
        bytes(&mut scope, 2, SCOPE.1.as_bytes());
        Self { resource, scope }
    }

    /// An `ExportTraceServiceRequest` of spans that are encoded already, each as a field of `ScopeSpans`.
    pub(crate) fn wrap(&self, spans: &[u8]) -> Vec<u8> {
        let scope_spans = length_of(self.scope.len()) + spans.len() + length_of(SCHEMA_URL.len());
        let resource_spans = length_of(self.resource.len()) + length_of(scope_spans);
        let mut out = Vec::with_capacity(length_of(resource_spans));
        head(&mut out, 1, resource_spans);
        bytes(&mut out, 1, &self.resource);
        head(&mut out, 2, scope_spans);
        bytes(&mut out, 1, &self.scope);
        out.extend_from_slice(spans);
        bytes(&mut out, 3, SCHEMA_URL.as_bytes());
        out
    }
}
