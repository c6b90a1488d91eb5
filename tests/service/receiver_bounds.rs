//! `redpane receiver`: what a payload may make of memory and of the log is bounded by what came of it.

use http::StatusCode;
use serde_json::json;
use test_support::client;
use test_support::process::{Reading, listening};

use super::{json as body_of, post, redpane};

/// Few bytes must not become many: whoever can reach the receiver could fill the log otherwise.
#[tokio::test]
async fn what_is_written_is_bounded_by_what_came() {
    /// 15 is the most that was measured, of the shortest alerts there are. A line has 250 bytes without what came.
    const FACTOR: usize = 16;
    let many = |alert: &str, count: usize| vec![alert; count].join(",");
    let links = ["dashboard_url", "panel_url", "runbook_url", "logs_url", "silence_url", "generator_url"]
        .map(|name| format!("\"{name}\":\"/d/?from=now-1h&to=now\""))
        .join(",");
    let repeated = |label: &str, length: usize| {
        format!("{{\"labels\":{{\"{label}\":\"{}\"}},\"annotations\":{{{links}}}}}", "\u{7f}".repeat(length))
    };
    let shortest = "{\"labels\":{\"\":1}}";
    let odd = format!("{{\"labels\":{{\"alertname\":\"{0}\"}},\"status\":{{\"{0}\":1}}}}", "\u{7f}".repeat(100));
    let long = "r".repeat(8_000);
    // Each is escaped, as six bytes.
    let separators = "\u{2028}".repeat(100);
    for (receiver, alerts, status) in [
        (&long[..], many("{}", 10_000), 422),
        ("", many("1", 10_000), 422),
        ("", many("{\"labels\":1}", 10_000), 422),
        (&separators, many(&odd, 1000), 422),
        (&separators, many("\"\u{2028}\"", 10_000), 422),
        (&separators, [many(shortest, 5000), many("{}", 5000)].join(","), 200),
        (&separators, many(shortest, 10_000), 200),
        (&long, many(shortest, 10_000), 200),
        ("", many(shortest, 10_000), 200),
        (&separators, many(&repeated("alertname", 8_000), 50), 200),
        (&separators, many(&repeated("severity", 200), 1000), 200),
        (&separators, many(&repeated("app", 8_000), 50), 200),
        (&separators, many(&repeated("app", 400), 50), 200),
        (&separators, many(&repeated("app", 100), 1000), 200),
        (&long, many(shortest, 1), 200),
    ] {
        let (mut process, address) = listening(redpane(&["receiver"], &[]), Reading::AsItComes).await;
        let before = process.output().len();
        let body = format!("{{\"receiver\":\"{receiver}\",\"alerts\":[{alerts}]}}");
        let came = body.len();
        assert_eq!(client::send(address, post("/alerts", body)).await.status.as_u16(), status);
        process.signal("TERM");
        assert_eq!(process.exit_code().await, 0);
        // The few lines of the request itself and of the end are of fixed size.
        let written = process.output().len() - before;
        assert!(written < 8 * 1024 + FACTOR * came, "{came} bytes became {written}: {alerts:.64}");
        assert!(process.lines().iter().all(|line| line["message"] != "log lines were lost"));
    }
}

/// Bounds are for what no sender sends: a name of usual length is on each line, and whole.
#[tokio::test]
async fn the_receivers_name_is_on_each_line() {
    let (mut process, address) = listening(redpane(&["receiver"], &[]), Reading::AsItComes).await;
    let name = "Bereitschaft für Zahlungen – 支払い";
    let alerts = vec![json!({"labels": {"alertname": "Slow"}, "startsAt": "2026-11-22T10:00:00Z"}); 100];
    let payload = json!({"receiver": name, "alerts": alerts}).to_string();
    assert_eq!(client::send(address, post("/alerts", payload)).await.status, StatusCode::OK);
    process.signal("TERM");
    assert_eq!(process.exit_code().await, 0);
    let lines = process.lines();
    let named = lines.iter().filter(|line| line["message"] == "alert" && line["receiver"] == name);
    assert_eq!(named.count(), 100);
}

/// The most memory that the process has had, in bytes.
#[cfg(target_os = "linux")]
fn peak(process: &test_support::process::Process) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let value = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    value.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

/// The bundle gives the receiver 64 MB, and whoever reaches it may send a mebibyte.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn memory_is_bounded_by_what_came() {
    const BODY: usize = 1_040_000;
    /// 2.1 is the most that was measured.
    const FACTOR: usize = 4;
    // As many of these as there is room for.
    let list = |part: &str| vec![part; BODY / (part.len() + 1)].join(",");
    let labels = |count: usize| (0..count).map(|number| format!("\"{number:x}\":0")).collect::<Vec<_>>().join(",");
    let nested = list("{\"\":0}");
    let text = "\u{7f}".repeat(BODY);
    for (alerts, status) in [
        (format!("{{\"labels\":{{\"a\":\"{}\"}}}}", "a".repeat(BODY)), 200),
        (format!("{{\"labels\":{{\"a\":[{nested}]}}}}"), 200),
        (format!("{{\"labels\":{{\"a\":1}},\"annotations\":{{\"value\":[{nested}]}},\"values\":{{}}}}"), 200),
        (format!("{{\"labels\":{{\"a\":1}},\"values\":{{\"A\":[{nested}]}}}}"), 200),
        (format!("{{\"labels\":{{\"a\":1}},\"more\":[{nested}]}}"), 200),
        (format!("{{\"labels\":{{\"a\":{}{}}}}}", "[".repeat(BODY / 2), "]".repeat(BODY / 2)), 200),
        (format!("{{\"labels\":{{\"app\":\"{text}\"}},\"dashboardURL\":\"/d/\",\"panelURL\":\"/d/\"}}"), 200),
        (format!("{{\"labels\":{{\"alertname\":\"{text}\"}}}}"), 200),
        (format!("{{\"labels\":{{{}}}}}", labels(110_000)), 422),
        (format!("{{\"labels\":{{\"a\":1}},\"annotations\":{{{}}}}}", labels(110_000)), 422),
        (format!("{{\"labels\":{{\"a\":1}},\"status\":[{nested}]}}"), 422),
        (format!("{{\"labels\":[{nested}]}}"), 422),
        (list("1"), 422),
    ] {
        let (process, address) = listening(redpane(&["receiver"], &[]), Reading::AsItComes).await;
        let small = json!({"alerts": [{"labels": {"a": "1"}}]}).to_string();
        assert_eq!(body_of(&client::send(address, post("/alerts", small)).await), json!({"alerts": 1}));
        let before = peak(&process);
        let body = format!("{{\"alerts\":[{alerts}]}}");
        let came = body.len();
        let answer = client::send(address, post("/alerts", body)).await;
        assert_eq!(answer.status.as_u16(), status, "{answer:?}");
        let grown = peak(&process) - before;
        assert!(grown < FACTOR * came, "{came} bytes took {grown}: {alerts:.64}");
    }
}
