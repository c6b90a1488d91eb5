use serde_json::{Value, json};

use super::super::payload::Payload;
use super::*;

/// Lives as long as the test.
fn alert(value: Value) -> Alert<'static> {
    serde_json::from_str(value.to_string().leak()).expect("an alert")
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
    let [alert] = payload.alerts.first[..] else { panic!("one alert") };
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
    let alert = Alert::read(payload.alerts.first[0]).expect("an alert");
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
fn what_is_no_text_is_shown_as_compact_json() {
    let shown = |json: &str| {
        let alert: Alert<'_> = serde_json::from_str(json).expect("an alert");
        (alert.labels_text(), alert.value())
    };
    for (value, compact) in [
        ("null", "null"),
        ("true", "true"),
        ("1e2", "100.0"),
        ("0.20", "0.2"),
        ("-7", "-7"),
        ("[ 1,\n {} ]", "[1,{}]"),
        (r#"{"b": 1, "a": 2}"#, r#"{"a":2,"b":1}"#),
        // Neither is parsed: a number beyond those of 64 bits, and 200 lists in one another.
        ("1e400", "1e400"),
        (&format!("{}{}", "[".repeat(200), "]".repeat(200)), &format!("{}{}", "[".repeat(200), "]".repeat(200))),
    ] {
        let (labels, measured) = shown(&format!(r#"{{"labels": {{"a": {value}}}, "values": {{"A": {value}}}}}"#));
        assert_eq!(labels, format!("{{a=\"{}\"}}", compact.replace('"', "\\\"")));
        assert_eq!(measured.as_deref(), Some(compact));
    }
    let (labels, _) = shown(r#"{"labels": {"\u0061": "\u00e9\t", "b": "x", "b": "y"}}"#);
    assert_eq!(labels, "{a=\"\u{e9}\t\", b=\"y\"}");
    let long = format!("[ {} ]", vec!["0"; 5000].join(", "));
    assert_eq!(shown(&format!(r#"{{"labels": {{"a": {long}}}}}"#)).0, format!("{{a=\"{long}\"}}"));
}

#[test]
fn what_cannot_be_used_is_named() {
    let many: Vec<_> = (0..1001).map(|number| format!("\"{number}\":0")).collect();
    let many = format!(r#"{{"labels":{{"alertname":"many"}},"values":{{{}}}}}"#, many.join(","));
    for (json, name, mistake) in [
        ("5", None, "invalid type: integer `5`, expected an alert: a map"),
        ("{}", None, "it has no labels; an alert has at least one, alertname"),
        (r#"{"labels":[]}"#, None, "labels: invalid type: sequence, expected a map"),
        (
            r#"{"labels":{"alertname":"odd"},"endsAt":[]}"#,
            Some("odd"),
            "endsAt: invalid type: sequence, expected a string",
        ),
        (r#"{"labels":{"alertname":5},"endsAt":5}"#, None, "endsAt: invalid type: integer `5`, expected a string"),
        (r#"{"labels":{"a":"\ud800"}}"#, None, "labels.a: unexpected end of hex escape"),
        (&many, Some("many"), "values: more than 1000 entries"),
    ] {
        let bad = Alert::read(serde_json::from_str(json).expect("JSON")).expect_err("it is bad");
        assert_eq!((bad.name.as_deref(), &bad.mistake[..]), (name, mistake), "{json:.99}");
    }
}
