//! The two webhook payloads as one type. Alertmanager's is a subset of Grafana's; whatever either leaves out, sends as
//! null or adds later is no error. Only the list of alerts has to be there.

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
pub(super) enum State {
    Firing,
    Resolved,
}

impl State {
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

    /// Firing unless it says that it is resolved: an alert must not be played down for an unknown word.
    pub(super) fn state(&self) -> State {
        if self.status.as_deref() == Some("resolved") { State::Resolved } else { State::Firing }
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
            out.push_str(&format!("{name}=\"{}\"", escaped(&text(value))));
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
        self.starts_at.as_deref().and_then(known_time)
    }

    pub(super) fn ends_at(&self) -> Option<&str> {
        self.ends_at.as_deref().and_then(known_time)
    }
}

/// Both senders write Go's zero time where they mean "not yet".
fn known_time(time: &str) -> Option<&str> {
    non_empty(time).filter(|time| !time.starts_with("0001-01-01"))
}

/// A label value as PromQL and LogQL quote it.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn alert(value: Value) -> Alert {
        serde_json::from_value(value).expect("an alert")
    }

    #[test]
    fn a_webhook_of_grafana() {
        let payload: Payload = serde_json::from_value(json!({
            "receiver": "alerts", "status": "firing", "orgId": 1, "title": "[FIRING:1]", "state": "alerting", "version": "1",
            "groupKey": "{}:{}", "truncatedAlerts": 0, "externalURL": "http://grafana:3000/", "message": "...",
            "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {},
            "alerts": [{
                "status": "firing",
                "labels": {"alertname": "High error ratio", "app": "api", "severity": "critical"},
                "annotations": {"summary": "20 % of requests fail", "runbook_url": "http://r/1", "logs_url": "http://l/1"},
                "startsAt": "2026-11-22T10:00:00Z", "endsAt": "0001-01-01T00:00:00Z",
                "values": {"A": 0.2, "C": 1}, "valueString": "[ var='A' value=0.2 ]",
                "generatorURL": "http://g/1", "silenceURL": "http://s/1", "dashboardURL": "", "panelURL": "http://p/1",
                "imageURL": "", "fingerprint": "c6eadffa33fcdf37"
            }]
        }))
        .expect("a payload");
        assert_eq!(payload.receiver.as_deref(), Some("alerts"));
        let [alert] = payload.alerts.as_slice() else { panic!("one alert") };
        assert_eq!(alert.name(), Some("High error ratio"));
        assert_eq!((alert.state(), alert.label("severity")), (State::Firing, Some("critical")));
        assert_eq!(alert.labels_text(), r#"{alertname="High error ratio", app="api", severity="critical"}"#);
        assert_eq!(alert.value().as_deref(), Some("A=0.2, C=1"));
        assert_eq!(alert.summary(), Some("20 % of requests fail"));
        assert_eq!(alert.link(&alert.dashboard_url, "dashboard_url"), None);
        assert_eq!(alert.link(&alert.panel_url, "panel_url"), Some("http://p/1"));
        assert_eq!(alert.link(&None, "runbook_url"), Some("http://r/1"));
        assert_eq!((alert.starts_at(), alert.ends_at()), (Some("2026-11-22T10:00:00Z"), None));
    }

    #[test]
    fn a_webhook_of_alertmanager() {
        let payload: Payload = serde_json::from_value(json!({
            "version": "4", "groupKey": "{}", "truncatedAlerts": 2, "status": "resolved", "receiver": "alerts",
            "groupLabels": {"alertname": "Down"}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://am:9093",
            "alerts": [{
                "status": "resolved", "labels": {"alertname": "Down"}, "annotations": {"description": "gone", "value": "0"},
                "startsAt": "2026-11-22T10:00:00Z", "endsAt": "2026-11-22T10:05:00Z", "generatorURL": "http://p/1",
                "fingerprint": "aa"
            }]
        }))
        .expect("a payload");
        assert_eq!(payload.truncated_alerts, 2);
        let alert = &payload.alerts[0];
        assert_eq!(
            (alert.state(), alert.summary(), alert.value().as_deref()),
            (State::Resolved, Some("gone"), Some("0"))
        );
        assert_eq!(alert.ends_at(), Some("2026-11-22T10:05:00Z"));
    }

    #[test]
    fn null_and_missing_parts_are_no_error() {
        let bare = alert(json!({"labels": null, "annotations": null, "values": null, "status": null}));
        assert_eq!((bare.state(), bare.name(), bare.value()), (State::Firing, None, None));
        assert_eq!(bare.labels_text(), "{}");
        assert_eq!(alert(json!({})).summary(), None);
    }

    #[test]
    fn labels_are_escaped_as_in_the_exposition_format() {
        let strange = alert(json!({"labels": {"a": "x\"y\\z\n", "n": 5}}));
        assert_eq!(strange.labels_text(), r#"{a="x\"y\\z\n", n="5"}"#);
    }

    #[test]
    fn a_payload_without_alerts_says_what_is_missing() {
        let error = serde_json::from_str::<Payload>(r#"{"status":"firing"}"#).expect_err("no alerts");
        assert!(error.to_string().contains("missing field `alerts`"), "{error}");
    }
}
