//! Faults on demand, and what the telemetry makes of them.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use test_support::client::{self, Answer};

use super::{JSON, assert_problem, bare, json as body_of, post};
use crate::served::Served;

async fn put(served: &Served, settings: impl Into<axum::body::Body>) -> Answer {
    let request = client::request(Method::PUT, "/faults").header(JSON.0, JSON.1);
    client::send(served.address, request.body(settings.into()).unwrap()).await
}

/// A service with these settings in force.
async fn with(settings: Value) -> Served {
    let served = Served::with_faults().await;
    assert_eq!(put(&served, settings.to_string()).await.status, StatusCode::OK);
    served
}

#[tokio::test]
async fn settings_are_set_read_and_cleared() {
    let served = Served::with_faults().await;
    let none = json!({"error_ratio": 0.0, "delay_ms": 0, "panic_ratio": 0.0});
    assert_eq!(body_of(&client::get(served.address, "/faults").await), none);
    let answer = put(&served, r#"{"error_ratio":0.2,"delay_ms":800,"panic_ratio":0}"#).await;
    let set = json!({"error_ratio": 0.2, "delay_ms": 800, "panic_ratio": 0.0});
    assert_eq!((answer.status, body_of(&answer)), (StatusCode::OK, set.clone()));
    assert_eq!(body_of(&client::get(served.address, "/faults").await), set);
    let answer = client::send(served.address, bare("DELETE", "/faults")).await;
    assert_eq!((answer.status, answer.text()), (StatusCode::NO_CONTENT, ""));
    assert_eq!(body_of(&client::get(served.address, "/faults").await), none);
}

#[tokio::test]
async fn bad_settings_are_all_named_and_change_nothing() {
    let served = Served::with_faults().await;
    let bad = r#"{"error_ratio":2,"delay_ms":-1,"panic_ratio":"often","delay":1}"#;
    let detail = assert_problem(&put(&served, bad).await, 422);
    for part in ["error_ratio is 2:", "delay_ms is -1:", "panic_ratio is \"often\":", "delay is not a field"] {
        assert!(detail.contains(part), "{part} is missing in: {detail}");
    }
    assert!(assert_problem(&put(&served, "[1]").await, 422).contains("error_ratio"));
    assert!(assert_problem(&put(&served, "{").await, 400).contains("line 1"));
    let without_type = client::request(Method::PUT, "/faults").body("{}".into()).unwrap();
    assert_problem(&client::send(served.address, without_type).await, 415);
    assert_eq!(body_of(&client::get(served.address, "/faults").await)["error_ratio"], 0.0);
}

#[tokio::test]
async fn few_of_very_many_mistakes_are_named_and_the_rest_counted() {
    let served = Served::with_faults().await;
    let fields: Vec<_> = (0..60_000).map(|number| format!("\"unknown{number}\":1")).collect();
    let detail = assert_problem(&put(&served, format!("{{{}}}", fields.join(","))).await, 422);
    assert!(detail.len() < 2048, "{} bytes", detail.len());
    assert!(detail.contains("unknown0 is not a field"), "{detail}");
    assert!(detail.ends_with("; and 59992 more mistakes"), "{detail}");
}

#[tokio::test]
async fn every_request_of_the_api_fails_and_nothing_else() {
    let served = with(json!({"error_ratio": 1})).await;
    for request in [bare("GET", "/"), bare("GET", "/hello/ada"), post("/echo", "{}")] {
        let answer = client::send(served.address, request).await;
        assert!(assert_problem(&answer, 500).contains("error_ratio"));
    }
    for path in ["/healthz", "/readyz", "/metrics", "/faults"] {
        assert_eq!(client::get(served.address, path).await.status, StatusCode::OK, "{path}");
    }
    served.observed.finished(8).await;
    let lines = served.observed.lines();
    let failed: Vec<_> = lines.iter().filter(|line| line["level"] == "ERROR").collect();
    assert_eq!(failed.len(), 3, "{lines:#?}");
    assert!(failed.iter().all(|line| line["status"] == 500 && line["outcome"] == "complete"));
}

#[tokio::test]
async fn every_request_of_the_api_panics() {
    let served = with(json!({"panic_ratio": 1})).await;
    let answer = client::get(served.address, "/hello/ada").await;
    assert!(assert_problem(&answer, 500).contains("panicked"));
    let lines = served.observed.access_lines(2).await;
    answer.belongs_to(&lines[1]);
    assert_eq!(lines[1].str("outcome"), "panic");
    let panic = served.observed.messages("injected by /faults (panic_ratio 1)", 1).await.remove(0);
    assert_eq!(panic["trace_id"], lines[1]["trace_id"]);
    assert!(panic.str("location").contains("faults"), "{}", panic.text);
}

#[tokio::test]
async fn every_request_of_the_api_is_late() {
    let served = with(json!({"delay_ms": 60})).await;
    assert_eq!(client::get(served.address, "/hello/ada").await.status, StatusCode::OK);
    let lines = served.observed.access_lines(2).await;
    assert!(lines[1]["duration_seconds"].as_f64().unwrap() >= 0.06, "{}", lines[1].text);
    let samples = served.observed.samples();
    let late = [("route", "/hello/{name}"), ("status", "200"), ("le", "0.05")];
    assert_eq!(samples.value("http_request_duration_seconds_bucket", &late), 0.0);
}

#[tokio::test]
async fn single_faults() {
    let served = Served::with_faults().await;
    for code in [200, 204, 302, 304, 404, 418, 500, 503, 599] {
        let answer = client::get(served.address, &format!("/faults/status/{code}")).await;
        assert_eq!(answer.status.as_u16(), code);
        assert_eq!(answer.text().is_empty(), code == 204 || code == 304);
    }
    let answer = client::get(served.address, "/faults/delay/30").await;
    assert_eq!((answer.status, body_of(&answer)), (StatusCode::OK, json!({"delay_ms": 30})));
    let answer = client::get(served.address, "/faults/chunked/3").await;
    assert_eq!((answer.header("transfer-encoding"), answer.text()), ("chunked", "chunk 1\nchunk 2\nchunk 3\n"));
    assert!(assert_problem(&client::get(served.address, "/faults/panic").await, 500).contains("panicked"));
    let answer = client::get(served.address, "/faults/cut").await;
    assert_eq!((answer.status, answer.whole), (StatusCode::OK, false));
    assert!(answer.text().starts_with("chunk 1\n"), "{answer:?}");
    let lines = served.observed.access_lines(13).await;
    let endings: Vec<_> =
        lines[9..].iter().map(|line| format!("{} {} {}", line["status"], line["outcome"], line["level"])).collect();
    let expected = ["200 complete INFO", "200 complete INFO", "500 panic ERROR", "200 body_error ERROR"];
    assert_eq!(endings.join(", ").replace('"', ""), expected.join(", "));
    assert!(lines[9]["duration_seconds"].as_f64().unwrap() >= 0.03);
}

#[tokio::test]
async fn single_faults_out_of_their_bounds() {
    let served = Served::with_faults().await;
    for (path, bounds) in [
        ("/faults/status/199", "200 to 599"),
        ("/faults/status/600", "200 to 599"),
        ("/faults/status/teapot", "200 to 599"),
        ("/faults/delay/60001", "0 to 60000"),
        ("/faults/delay/-1", "0 to 60000"),
        ("/faults/chunked/0", "1 to 10000"),
        ("/faults/chunked/10001", "1 to 10000"),
        ("/faults/chunked/%ff", "1 to 10000"),
    ] {
        let detail = assert_problem(&client::get(served.address, path).await, 400);
        assert!(detail.contains(bounds), "{path}: {detail}");
    }
}

#[tokio::test]
async fn without_the_setting_there_are_none() {
    let served = Served::start().await;
    for path in ["/faults", "/faults/panic", "/faults/status/500"] {
        assert_problem(&client::get(served.address, path).await, 404);
    }
    assert_problem(&put(&served, "{}").await, 404);
    let lines = served.observed.access_lines(4).await;
    assert!(lines.iter().all(|line| line["route"] == "unmatched"));
}
