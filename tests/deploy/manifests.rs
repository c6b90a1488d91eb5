//! What Helm made of the chart.

use serde_json::Value;

use crate::files::{documents, items};

/// Objects of Kubernetes.
pub(crate) struct Manifests(Vec<Value>);

impl Manifests {
    pub(crate) fn parse(text: &str) -> Self {
        Self(documents(text, "the output of helm"))
    }

    pub(crate) fn all(&self) -> &[Value] {
        &self.0
    }

    /// All objects of a kind.
    pub(crate) fn of(&self, kind: &str) -> Vec<&Value> {
        self.0.iter().filter(|object| object["kind"] == kind).collect()
    }

    pub(crate) fn has(&self, kind: &str) -> bool {
        !self.of(kind).is_empty()
    }

    /// The only object of a kind.
    pub(crate) fn one(&self, kind: &str) -> &Value {
        let found = self.of(kind);
        assert_eq!(found.len(), 1, "objects of kind {kind}");
        found[0]
    }

    /// The specification of the service's pods.
    pub(crate) fn pod(&self) -> &Value {
        &self.one("Deployment")["spec"]["template"]["spec"]
    }

    pub(crate) fn container(&self) -> &Value {
        &self.pod()["containers"][0]
    }

    /// The value of a variable of the service's container.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        let found = items(&self.container()["env"]).iter().rfind(|variable| variable["name"] == name);
        found.and_then(|variable| variable["value"].as_str())
    }

    /// The file `name` of a ConfigMap.
    pub(crate) fn file(&self, name: &str) -> Option<&str> {
        self.of("ConfigMap").into_iter().find_map(|map| map["data"][name].as_str())
    }
}
