//! An alert of either sender as one type: Alertmanager's is a subset of Grafana's. Fields that either leaves out, sends as
//! null or adds later are no error; only the labels are required.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::cut::{cut, shortened, without_place};
use super::fields::{FieldValue, Fields};

/// The most bytes of a name on a line that says what is wrong.
const NAME_BYTES: usize = 100;
/// Where the text of all labels ends: far beyond what the log keeps of a text.
const LABELS_BYTES: usize = 64 * 1024;

/// One alert of a webhook.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, expecting = "an alert: a map")]
pub(super) struct Alert<'a> {
    status: Option<String>,
    #[serde(borrow)]
    labels: Fields<'a>,
    #[serde(borrow)]
    annotations: Fields<'a>,
    starts_at: Option<String>,
    ends_at: Option<String>,
    /// Grafana: the value of each query and expression, by its letter.
    #[serde(borrow)]
    values: Fields<'a>,
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

impl<'a> Alert<'a> {
    /// Reads one alert of a payload.
    ///
    /// # Errors
    /// Names the field that is wrong. An alert without any label, which neither sender has, is wrong too.
    pub(super) fn read(json: &'a RawValue) -> Result<Self, BadAlert> {
        let bad = |mistake: &str| BadAlert { name: name(json), mistake: shortened(mistake) };
        match serde_path_to_error::deserialize::<_, Self>(&mut serde_json::Deserializer::from_str(json.get())) {
            Ok(alert) if alert.labels.is_empty() => Err(bad("it has no labels; an alert has at least one, alertname")),
            Ok(alert) => Ok(alert),
            Err(error) => {
                let (path, mistake) = (error.path(), without_place(error.inner()));
                Err(bad(&if path.iter().len() == 0 { mistake } else { format!("{path}: {mistake}") }))
            }
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
        self.labels.text(name)
    }

    fn annotation(&self, name: &str) -> Option<&str> {
        self.annotations.text(name).and_then(non_empty)
    }

    /// The labels in Prometheus' notation, such as `{alertname="High error ratio", app="api"}`, sorted by name.
    pub(super) fn labels_text(&self) -> String {
        let mut out = String::from("{");
        for (index, (name, value)) in self.labels.iter().enumerate() {
            if out.len() > LABELS_BYTES {
                break;
            }
            out.push_str(if index == 0 { "" } else { ", " });
            out.push_str(name);
            out.push_str("=\"");
            escape(&mut out, &value.shown());
            out.push('"');
        }
        out.push('}');
        out
    }

    /// What the rule measured: its annotation `value` if its author wrote one, else the first of Grafana's values. Rules
    /// measure first and judge after, and their letters mean nothing to who reads the line.
    pub(super) fn value(&self) -> Option<String> {
        self.annotation("value").map(str::to_owned).or_else(|| Some(self.values.iter().next()?.1.shown().into_owned()))
    }

    /// The rule's own words. Where an alert ends, or goes on, without being measured, those are old: Grafana then gives a
    /// reason, or the last values are those of a firing alert (`C` is the condition of a rule).
    pub(super) fn summary(&self) -> Option<String> {
        let summary = self.annotation("summary").or_else(|| self.annotation("description"))?;
        let held = self.values.get("C").and_then(FieldValue::as_f64) == Some(1.0);
        Some(match self.annotation("grafana_state_reason") {
            Some(reason) => format!("not measured ({reason}); before: {summary}"),
            None if held && self.state() == AlertState::Resolved => format!("not measured; before: {summary}"),
            None => summary.to_owned(),
        })
    }

    /// A link from the annotation of the given name, whose author knows best, or from its own field.
    pub(super) fn link<'b>(&'b self, annotation: &str, field: &'b Option<String>) -> Option<&'b str> {
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

/// Appends a label value as PromQL and LogQL quote it, as much of it as may be shown.
fn escape(out: &mut String, value: &str) {
    for character in value.chars().take(LABELS_BYTES) {
        match character {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            _ => out.push(character),
        }
    }
}

/// The name of an alert that cannot be used, where it has one.
fn name(json: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct Named<'a> {
        #[serde(borrow)]
        labels: &'a RawValue,
    }
    #[derive(Deserialize)]
    struct Labels<'a> {
        #[serde(borrow)]
        alertname: FieldValue<'a>,
    }
    let named: Named<'_> = serde_json::from_str(json.get()).ok()?;
    match serde_json::from_str(named.labels.get()).ok()? {
        Labels { alertname: FieldValue::Text(name) } => Some(cut(&name, NAME_BYTES).into_owned()),
        Labels { alertname: FieldValue::Other(_) } => None,
    }
}

#[cfg(test)]
mod tests;
