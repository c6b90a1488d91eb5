//! `redpane receiver`: each alert of a webhook becomes one line.

use serde_json::{Value, json};
use test_support::process::{Reading, listening, run};
use test_support::{Line, Samples, client};

use super::{assert_problem, bare, json as body_of, post, redpane};

fn grafana() -> Value {
    json!({
        "receiver": "alerts", "status": "firing", "orgId": 1, "state": "alerting", "version": "1", "truncatedAlerts": 0,
        "externalURL": "http://localhost:3000/", "groupKey": "{}",
        "alerts": [
            {
                "status": "firing",
                "labels": {"alertname": "High error ratio", "app": "api", "severity": "critical", "quote": "a\"b"},
                "annotations": {
                    "summary": "20 % of requests fail", "runbook_url": "http://runbook", "logs_url": "http://logs"
                },
                "startsAt": "2026-11-22T10:00:00Z", "endsAt": "0001-01-01T00:00:00Z", "values": {"A": 0.2, "C": 1},
                "generatorURL": "http://generator", "silenceURL": "http://silence", "dashboardURL": "http://dashboard",
                "panelURL": "http://panel", "fingerprint": "c6eadffa33fcdf37"
            },
            {
                "status": "resolved", "labels": {"alertname": "Slow"}, "annotations": {}, "values": null,
                "startsAt": "2026-11-22T10:00:00Z", "endsAt": "2026-11-22T10:05:00Z", "fingerprint": "c6eadffa33fcdf38"
            }
        ]
    })
}

fn alertmanager() -> Value {
    json!({
        "version": "4", "groupKey": "{}", "truncatedAlerts": 7, "status": "firing", "receiver": "webhook",
        "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://localhost:9093",
        "alerts": [{
            "status": "firing", "labels": {"alertname": "Down", "severity": "page"},
            "annotations": {"description": "no scrape works", "value": "0"}, "startsAt": "2026-11-22T11:00:00Z",
            "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "http://localhost:9090/graph", "fingerprint": "aa"
        }]
    })
}

#[track_caller]
fn assert_fields(line: &Line, fields: &[(&str, &str)]) {
    assert_eq!((line.str("message"), line.str("target")), ("alert", "redpane::receiver"));
    for (field, value) in fields {
        assert_eq!(line.str(field), *value, "{field} in {}", line.text);
    }
}

#[tokio::test]
async fn each_alert_of_both_senders_is_one_line() {
    let (mut process, address) = listening(redpane(&["receiver"], &[]), Reading::AsItComes).await;
    let from_grafana = client::send(address, post("/alerts", grafana().to_string())).await;
    assert_eq!((from_grafana.status.as_u16(), body_of(&from_grafana)), (200, json!({"alerts": 2})));
    let from_alertmanager = client::send(address, post("/alerts", alertmanager().to_string())).await;
    assert_eq!(body_of(&from_alertmanager), json!({"alerts": 1}));
    let samples = Samples::parse(client::get(address, "/metrics").await.text());
    let received = |state| samples.value("redpane_alerts_received_total", &[("state", state)]);
    assert_eq!((received("firing"), received("resolved")), (2.0, 1.0));
    process.signal("TERM");
    assert_eq!(process.exit_code().await, 0);

    let lines = process.lines();
    assert!(lines.iter().all(|line| line["app"] == "alerts"));
    let alerts: Vec<_> = lines.iter().filter(|line| line["message"] == "alert").collect();
    let [firing, resolved, down] = &alerts[..] else { panic!("three alerts: {alerts:#?}") };
    let firing_fields = [
        ("level", "WARN"),
        ("name", "High error ratio"),
        ("state", "firing"),
        ("severity", "critical"),
        ("labels", r#"{alertname="High error ratio", app="api", quote="a\"b", severity="critical"}"#),
        ("value", "0.2"),
        ("summary", "20 % of requests fail"),
        ("dashboard_url", "http://dashboard"),
        ("panel_url", "http://panel"),
        ("silence_url", "http://silence"),
        ("generator_url", "http://generator"),
        ("runbook_url", "http://runbook"),
        ("logs_url", "http://logs"),
        ("starts_at", "2026-11-22T10:00:00Z"),
        ("trace_id", from_grafana.header("x-trace-id")),
    ];
    assert_fields(firing, &firing_fields);
    assert!(firing.get("ends_at").is_none_or(Value::is_null), "not ended: {}", firing.text);
    let ended = ("ends_at", "2026-11-22T10:05:00Z");
    assert_fields(resolved, &[("level", "INFO"), ("name", "Slow"), ("state", "resolved"), ended]);
    let value = ("value", "0");
    assert_fields(down, &[("name", "Down"), ("severity", "page"), ("summary", "no scrape works"), value]);
    assert_fields(down, &[("trace_id", from_alertmanager.header("x-trace-id"))]);
    let left_out = lines.iter().find(|line| line.get("missing").is_some()).expect("a line of what was left out");
    assert_eq!((left_out.str("level"), &left_out["missing"]), ("WARN", &7.into()));
    assert!(lines.iter().all(|line| line["level"] != "ERROR"), "or alerts on errors would feed themselves");
}

#[tokio::test]
async fn what_is_no_webhook_is_refused_and_counted() {
    let (process, address) = listening(redpane(&["receiver"], &[]), Reading::AsItComes).await;
    let text = client::request(http::Method::POST, "/alerts").header("content-type", "text/plain");
    for (request, status, part) in [
        (post("/alerts", "{"), 400, "line 1"),
        (post("/alerts", ""), 400, "empty"),
        (post("/alerts", "{}"), 422, "missing field `alerts`"),
        (post("/alerts", r#"{"alerts": "all"}"#), 422, "expected a sequence"),
        (post("/alerts", format!(r#"{{"alerts": "{}"}}"#, "x".repeat(900_000))), 422, "expected a sequence"),
        (post("/alerts", r#"{"alerts": [1, {}]}"#), 422, "none of the 2 alerts"),
        (post("/alerts", format!("\"{}\"", "x".repeat(1024 * 1024))), 413, "1048576 bytes"),
        (text.body("{}".into()).unwrap(), 415, "application/json"),
    ] {
        let detail = assert_problem(&client::send(address, request).await, status);
        assert!(detail.contains(part) && detail.len() < 1024, "{part} is missing in: {detail}");
    }
    assert_problem(&client::send(address, bare("GET", "/alerts")).await, 405);
    assert_problem(&client::get(address, "/").await, 404);
    assert_eq!(client::get(address, "/healthz").await.status, 200);
    assert_eq!(client::get(address, "/readyz").await.status, 200);
    let samples = Samples::parse(client::get(address, "/metrics").await.text());
    assert_eq!(samples.value("redpane_alert_payloads_rejected_total", &[]), 8.0);
    assert_eq!(samples.sum("redpane_alerts_received_total", &[]), 0.0);
    assert!(process.lines().iter().all(|line| line["message"] != "alert"));
}

#[tokio::test]
async fn good_alerts_of_a_batch_are_taken_and_each_bad_one_is_a_line() {
    let (mut process, address) = listening(redpane(&["receiver"], &[]), Reading::AsItComes).await;
    let text = "x".repeat(100_000);
    let good = |name: &str| json!({"status": "firing", "labels": {"alertname": name}});
    let alerts = json!([
        good("first"),
        5,
        {"labels": {"alertname": "listed", "app": "api"}, "annotations": [1]},
        {"labels": text},
        {"status": {}, "labels": {"alertname": "odd"}},
        {},
        good("last"),
    ]);
    let answer = client::send(address, post("/alerts", json!({"alerts": alerts, "receiver": "r"}).to_string())).await;
    assert_eq!((answer.status.as_u16(), body_of(&answer)), (200, json!({"alerts": 2, "refused": 5})));
    let samples = Samples::parse(client::get(address, "/metrics").await.text());
    assert_eq!(samples.sum("redpane_alerts_received_total", &[]), 2.0);
    assert_eq!(samples.value("redpane_alerts_refused_total", &[]), 5.0);
    assert_eq!(samples.value("redpane_alert_payloads_rejected_total", &[]), 0.0);
    process.signal("TERM");
    assert_eq!(process.exit_code().await, 0);
    let lines = process.lines();
    let named = |message: &str| lines.iter().filter(|line| line["message"] == message).collect::<Vec<_>>();
    let taken: Vec<_> = named("alert").iter().map(|line| line.str("name").to_owned()).collect();
    assert_eq!(taken, ["first", "last"]);
    let refused = named("an alert was refused");
    assert_eq!(refused.len(), 5, "{lines:#?}");
    for (line, (number, name, parts)) in refused.iter().zip([
        (2, None, &["invalid type: integer `5`"][..]),
        (3, Some("listed"), &["annotations", "invalid type: sequence, expected a map"]),
        (4, None, &["labels", "invalid type: string", "expected a map"]),
        (5, Some("odd"), &["status", "invalid type: map, expected a string"]),
        (6, None, &["no labels"]),
    ]) {
        assert_eq!((line.str("level"), line.str("target")), ("WARN", "redpane::receiver"));
        assert_eq!((line["number"].as_u64(), line.get("name").and_then(Value::as_str)), (Some(number), name));
        assert!(parts.iter().all(|part| line.str("problem").contains(part)), "{}", line.text);
        assert!(line.text.len() < 1024 && line["trace_id"] == answer.header("x-trace-id"), "{}", line.text);
    }
}

/// 200 promises a line, so that a filter which hides alerts, or those that are resolved, is none for the receiver.
#[tokio::test]
async fn a_filter_that_hides_alerts_is_refused() {
    for filter in ["error", "warn", "off", "info,redpane::receiver=error", "redpane=warn", "redpane::server=info"] {
        let (code, output, errors) = run(redpane(&["receiver"], &[("REDPANE_LOG", filter)])).await;
        assert_eq!((code, output.as_str()), (64, ""), "{filter}: {errors}");
        let named = format!("REDPANE_LOG (--log) is \"{filter}\": must be a filter that hides no alert");
        assert!(errors.contains(&named) && errors.contains("warn,redpane::receiver=info"), "{errors}");
    }
    let (mut process, _) =
        listening(redpane(&[], &[("REDPANE_LOG", "error,redpane::server=info")]), Reading::AsItComes).await;
    process.signal("TERM");
    assert_eq!(process.exit_code().await, 0, "others may hide what they like");
    let filter = [("REDPANE_LOG", "warn,redpane::server=info,redpane::receiver=info")];
    let (mut process, address) = listening(redpane(&["receiver"], &filter), Reading::AsItComes).await;
    assert_eq!(body_of(&client::send(address, post("/alerts", grafana().to_string())).await), json!({"alerts": 2}));
    process.signal("TERM");
    assert_eq!(process.exit_code().await, 0);
    let lines = process.lines();
    assert_eq!(lines.iter().filter(|line| line["message"] == "alert").count(), 2);
    assert!(!lines.iter().any(Line::is_access), "{lines:#?}");
}

/// 200 promises that every line is in the buffer: with a log that stands still, the sender is told to come again.
#[tokio::test]
async fn an_alert_that_is_answered_200_has_its_line() {
    const ALERTS: usize = 1000;
    let variables = [("REDPANE_LOG_BUFFER_BYTES", "64KiB")];
    let (mut process, address) = listening(redpane(&["receiver"], &variables), Reading::NotFurtherThanItsAddress).await;
    let alerts: Vec<_> =
        (0..ALERTS).map(|number| json!({"labels": {"alertname": format!("number {number}")}})).collect();
    let batch = json!({"alerts": alerts}).to_string();
    let answer = client::send(address, post("/alerts", batch.clone())).await;
    let detail = assert_problem(&answer, 503);
    assert!(detail.contains("log"), "{detail}");
    assert_eq!(answer.header("retry-after"), "5");
    process.read_on();
    // A buffer far smaller than the batch is no reason to refuse it while the log moves.
    let answer = client::send(address, post("/alerts", batch)).await;
    assert_eq!((answer.status.as_u16(), body_of(&answer)), (200, json!({"alerts": ALERTS})));
    process.signal("TERM");
    assert_eq!(process.exit_code().await, 0);
    let lines = process.lines();
    let trace_id = answer.header("x-trace-id");
    let written: std::collections::BTreeSet<_> = lines
        .iter()
        .filter(|line| line["message"] == "alert" && line["trace_id"] == trace_id)
        .map(|line| line.str("name"))
        .collect();
    assert_eq!(written.len(), ALERTS);
}
