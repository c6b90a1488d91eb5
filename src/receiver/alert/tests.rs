use serde_json::json;

use super::*;

fn alert(value: Value) -> Alert {
    serde_json::from_value(value).expect("an alert")
}

#[test]
fn a_webhook_of_grafana() {
    let text = json!({
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
    })
    .to_string();
    let payload: Payload<'_> = serde_json::from_str(&text).expect("a payload");
    assert_eq!(payload.receiver.as_deref(), Some("alerts"));
    let [alert] = payload.alerts[..] else { panic!("one alert") };
    let alert = Alert::read(alert).expect("an alert");
    assert_eq!(alert.name(), Some("High error ratio"));
    assert_eq!((alert.state(), alert.label("severity")), (AlertState::Firing, Some("critical")));
    assert_eq!(alert.labels_text(), r#"{alertname="High error ratio", app="api", severity="critical"}"#);
    assert_eq!(alert.value().as_deref(), Some("0.2"));
    assert_eq!(alert.summary().as_deref(), Some("20 % of requests fail"));
    assert_eq!(alert.link("dashboard_url", &alert.dashboard_url), None);
    assert_eq!(alert.link("panel_url", &alert.panel_url), Some("http://p/1"));
    assert_eq!(alert.link("runbook_url", &None), Some("http://r/1"));
    assert_eq!((alert.starts_at(), alert.ends_at()), (Some("2026-11-22T10:00:00Z"), None));
}

#[test]
fn a_webhook_of_alertmanager() {
    let text = json!({
        "version": "4", "groupKey": "{}", "truncatedAlerts": 2, "status": "resolved", "receiver": "alerts",
        "groupLabels": {"alertname": "Down"}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://am:9093",
        "alerts": [{
            "status": "resolved", "labels": {"alertname": "Down"}, "annotations": {"description": "gone", "value": "0"},
            "startsAt": "2026-11-22T10:00:00Z", "endsAt": "2026-11-22T10:05:00Z", "generatorURL": "http://p/1",
            "fingerprint": "aa"
        }]
    })
    .to_string();
    let payload: Payload<'_> = serde_json::from_str(&text).expect("a payload");
    assert_eq!(payload.truncated_alerts, 2);
    let alert = Alert::read(payload.alerts[0]).expect("an alert");
    assert_eq!(
        (alert.state(), alert.summary().as_deref(), alert.value().as_deref()),
        (AlertState::Resolved, Some("gone"), Some("0"))
    );
    assert_eq!(alert.ends_at(), Some("2026-11-22T10:05:00Z"));
}

#[test]
fn texts_of_a_rule_that_is_not_measured_say_so() {
    let annotations = json!({"summary": "20 % of requests fail", "grafana_state_reason": "MissingSeries"});
    let gone = alert(json!({"status": "resolved", "annotations": annotations}));
    assert_eq!(gone.summary().as_deref(), Some("not measured (MissingSeries); before: 20 % of requests fail"));
    let summary = json!({"summary": "20 % of requests fail"});
    let ended = |condition| json!({"status": "resolved", "annotations": summary, "values": {"A": 0.2, "C": condition}});
    assert_eq!(alert(ended(1)).summary().as_deref(), Some("not measured; before: 20 % of requests fail"));
    assert_eq!(alert(ended(0)).summary().as_deref(), Some("20 % of requests fail"));
}

#[test]
fn null_and_missing_parts_are_no_error() {
    let bare = alert(json!({"labels": null, "annotations": null, "values": null, "status": null}));
    assert_eq!((bare.state(), bare.name(), bare.value()), (AlertState::Firing, None, None));
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
    let error = serde_json::from_str::<Payload<'_>>(r#"{"status":"firing"}"#).expect_err("no alerts");
    assert!(error.to_string().contains("missing field `alerts`"), "{error}");
}

#[test]
fn a_long_mistake_keeps_its_ends() {
    let long = format!("invalid type: string \"{}\", expected a map", "\u{e9}".repeat(1000));
    let short = shortened(&long);
    assert!(short.starts_with("invalid type: string") && short.ends_with("expected a map"), "{short}");
    assert!(short.chars().count() < 250, "{short}");
    for whole in ["", "short", &"x".repeat(200)] {
        assert_eq!(shortened(whole), whole);
    }
}
