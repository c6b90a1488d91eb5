//! The two webhook payloads as one type. Alertmanager's is a subset of Grafana's. Fields that either leaves out, sends as
//! null or adds later are no error; only the list of alerts is required.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// One webhook.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Payload {
    pub(super) alerts: Vec<Alert>,
    #[serde(default)]
    pub(super) receiver: Option<String>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub(super) truncated_alerts: u64,
}

/// One alert of a webhook.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Alert {
    status: Option<String>,
    #[serde(deserialize_with = "null_as_default")]
    labels: BTreeMap<String, Value>,
    #[serde(deserialize_with = "null_as_default")]
    annotations: BTreeMap<String, Value>,
    starts_at: Option<String>,
    ends_at: Option<String>,
    /// Grafana: the value of each query and expression, by its letter.
    #[serde(deserialize_with = "null_as_default")]
    values: BTreeMap<String, Value>,
    #[serde(rename = "dashboardURL")]
    pub(super) dashboard_url: Option<String>,
    #[serde(rename = "panelURL")]
    pub(super) panel_url: Option<String>,
    #[serde(rename = "silenceURL")]
    pub(super) silence_url: Option<String>,
    #[serde(rename = "generatorURL")]
    pub(super) generator_url: Option<String>,
}

/// Whether an alert is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AlertState {
    Firing,
    Resolved,
}

impl AlertState {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Resolved => "resolved",
        }
    }
}

fn null_as_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn non_empty(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

impl Alert {
    pub(super) fn name(&self) -> Option<&str> {
        self.label("alertname")
    }

    /// Firing unless it says that it is resolved: an unknown status must not hide an alert.
    pub(super) fn state(&self) -> AlertState {
        if self.status.as_deref() == Some("resolved") { AlertState::Resolved } else { AlertState::Firing }
    }

    pub(super) fn label(&self, name: &str) -> Option<&str> {
        self.labels.get(name).and_then(Value::as_str)
    }

    fn annotation(&self, name: &str) -> Option<&str> {
        self.annotations.get(name).and_then(Value::as_str).and_then(non_empty)
    }

    /// The labels in Prometheus' notation, such as `{alertname="High error ratio", app="api"}`, sorted by name.
    pub(super) fn labels_text(&self) -> String {
        let mut out = String::from("{");
        for (index, (name, value)) in self.labels.iter().enumerate() {
            out.push_str(if index == 0 { "" } else { ", " });
            out.push_str(&format!("{name}=\"{}\"", escape(&text(value))));
        }
        out.push('}');
        out
    }

    /// What the rule measured: its annotation `value` if its author wrote one, else Grafana's values, `A=0.25, C=1`.
    pub(super) fn value(&self) -> Option<String> {
        let pairs = self.values.iter().map(|(letter, value)| format!("{letter}={}", text(value)));
        let measured = || pairs.collect::<Vec<_>>().join(", ");
        self.annotation("value").map(str::to_owned).or_else(|| Some(measured()).filter(|text| !text.is_empty()))
    }

    pub(super) fn summary(&self) -> Option<&str> {
        self.annotation("summary").or_else(|| self.annotation("description"))
    }

    /// A link from its own field, or from the annotation of the given name.
    pub(super) fn link<'a>(&'a self, field: &'a Option<String>, annotation: &str) -> Option<&'a str> {
        field.as_deref().and_then(non_empty).or_else(|| self.annotation(annotation))
    }

    pub(super) fn starts_at(&self) -> Option<&str> {
        self.starts_at.as_deref().and_then(non_zero_time)
    }

    pub(super) fn ends_at(&self) -> Option<&str> {
        self.ends_at.as_deref().and_then(non_zero_time)
    }
}

/// `None` for Go's zero time, which both senders write for a time that has not come yet.
fn non_zero_time(time: &str) -> Option<&str> {
    non_empty(time).filter(|time| !time.starts_with("0001-01-01"))
}

/// A label value as PromQL and LogQL quote it.
fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests;
