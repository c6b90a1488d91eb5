//! The two webhook payloads as one type. Alertmanager's is a subset of Grafana's. Fields that either leaves out, sends as
//! null or adds later are no error; only the list of alerts, and of each alert its labels, are required.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// The most characters of a name that are told.
const NAME_CHARS: usize = 100;

/// One webhook. Its alerts are read one by one: one that cannot be used does not take the others with it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Payload<'a> {
    #[serde(borrow)]
    pub(super) alerts: Vec<&'a RawValue>,
    #[serde(default)]
    pub(super) receiver: Option<String>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub(super) truncated_alerts: u64,
}

/// One alert of a webhook.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, expecting = "an alert: a map")]
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

/// What is wrong, its middle cut out where it is long: it may repeat a text of any length.
pub(super) fn shortened(mistake: &str) -> String {
    const ENDS: usize = 100;
    match (mistake.char_indices().nth(ENDS), mistake.char_indices().nth_back(ENDS)) {
        (Some((head, _)), Some((tail, _))) if head < tail => format!("{}…[cut]…{}", &mistake[..head], &mistake[tail..]),
        _ => mistake.to_owned(),
    }
}

fn non_empty(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// An alert that cannot be used.
#[derive(Debug)]
pub(super) struct BadAlert {
    /// Its name, where it has one.
    pub(super) name: Option<String>,
    /// What is wrong, and in which field.
    pub(super) mistake: String,
}

impl Alert {
    /// Reads one alert of a payload.
    ///
    /// # Errors
    /// Names the field that is wrong. An alert without any label, which neither sender has, is wrong too.
    pub(super) fn read(json: &RawValue) -> Result<Self, BadAlert> {
        let bad = |name, mistake: String| BadAlert { name, mistake: shortened(&mistake) };
        let value: Value = serde_json::from_str(json.get()).map_err(|error| bad(None, error.to_string()))?;
        let name = value["labels"]["alertname"].as_str().map(|name| name.chars().take(NAME_CHARS).collect());
        match serde_path_to_error::deserialize::<_, Self>(value) {
            Ok(alert) if alert.labels.is_empty() => {
                Err(bad(name, "it has no labels; an alert has at least one, alertname".to_owned()))
            }
            Ok(alert) => Ok(alert),
            Err(error) if error.path().iter().len() == 0 => Err(bad(name, error.inner().to_string())),
            Err(error) => Err(bad(name, error.to_string())),
        }
    }

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

    /// What the rule measured: its annotation `value` if its author wrote one, else the first of Grafana's values. Rules
    /// measure first and judge after, and their letters mean nothing to who reads the line.
    pub(super) fn value(&self) -> Option<String> {
        self.annotation("value").map(str::to_owned).or_else(|| self.values.values().next().map(text))
    }

    /// The rule's own words. Where an alert ends, or goes on, without being measured, those are old: Grafana then gives a
    /// reason, or the last values are those of a firing alert (`C` is the condition of a rule).
    pub(super) fn summary(&self) -> Option<String> {
        let summary = self.annotation("summary").or_else(|| self.annotation("description"))?;
        let held = self.values.get("C").and_then(Value::as_f64) == Some(1.0);
        Some(match self.annotation("grafana_state_reason") {
            Some(reason) => format!("not measured ({reason}); before: {summary}"),
            None if held && self.state() == AlertState::Resolved => format!("not measured; before: {summary}"),
            None => summary.to_owned(),
        })
    }

    /// A link from the annotation of the given name, whose author knows best, or from its own field.
    pub(super) fn link<'a>(&'a self, annotation: &str, field: &'a Option<String>) -> Option<&'a str> {
        self.annotation(annotation).or_else(|| field.as_deref().and_then(non_empty))
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
