//! Standard output: JSON lines and nothing else, whole, counted, whatever its reader does.

use std::net::SocketAddr;

use http::StatusCode;
use test_support::process::{Process, Reading, listening};
use test_support::{Line, Samples, client, eventually, raw};

use super::{bare, post, redpane};

async fn scrape(address: SocketAddr) -> Samples {
    Samples::parse(client::get(address, "/metrics").await.text())
}

/// Ends a service and gives all of its lines.
async fn lines_at_the_end(mut process: Process) -> Vec<Line> {
    process.signal("TERM");
    assert_eq!(process.exit_code().await, 0, "{}", process.errors());
    assert_eq!(process.errors(), "", "standard error is for what stops a start");
    assert!(process.output().ends_with('\n'));
    process.lines()
}

/// Sends this many GETs over eight connections; each must be answered.
async fn load(address: SocketAddr, path: &str, requests: usize) {
    let sending: Vec<_> =
        (0..8).map(|_| tokio::spawn(client::get_many(address, path.to_owned(), requests / 8))).collect();
    for statuses in sending {
        let statuses = statuses.await.unwrap();
        assert!(statuses.iter().all(StatusCode::is_success));
    }
}

#[tokio::test]
async fn a_mixed_load_leaves_nothing_but_json_lines_that_agree_with_the_metrics() {
    const REQUESTS: f64 = 4.0 * 10.0 * 15.0;
    let (process, address) = listening(redpane(&[], &[("REDPANE_FAULTS", "1")]), Reading::AsItComes).await;
    let paths = [
        "/",
        "/hello/%22%0a%7B",
        "/nope",
        "/healthz",
        "/readyz",
        "/metrics",
        "/faults/panic",
        "/faults/cut",
        "/faults/chunked/20",
        "/faults/status/503",
        "/faults/status/204",
    ];
    let sending = (0..4).map(|_| {
        tokio::spawn(async move {
            for _ in 0..10 {
                for path in paths {
                    client::get(address, path).await;
                }
                client::send(address, bare("POST", "/metrics")).await;
                client::send(address, post("/echo", "{")).await;
                client::send(address, post("/echo", "{\"a\\u0000\": \"\u{1b}[31m\"}")).await;
                // Gone before the answer.
                drop(raw::send(address, "GET /faults/delay/20 HTTP/1.1\r\nhost: a\r\n\r\n").await);
            }
        })
    });
    for sender in sending.collect::<Vec<_>>() {
        sender.await.unwrap();
    }
    let samples = eventually("every request is over", async || {
        let samples = scrape(address).await;
        let gone = samples.sum("http_requests_total", &[("route", "/faults/delay/{ms}")]);
        // Quiet requests are in no gauge, and a client may have its answer a moment before it is counted.
        let are_counted = samples.sum("http_requests_total", &[]) >= REQUESTS;
        (gone == 40.0 && are_counted && samples.value("http_requests_in_flight", &[]) == 0.0).then_some(samples)
    })
    .await;
    let lines = lines_at_the_end(process).await;
    let quiet: f64 = ["/healthz", "/readyz", "/metrics"]
        .map(|route| samples.sum("http_requests_total", &[("route", route), ("status", "200")]))
        .iter()
        .sum();
    let access: Vec<_> = lines.iter().filter(|line| line["message"] == "request").collect();
    let counted = samples.sum("http_requests_total", &[]);
    assert!(counted >= REQUESTS, "{counted} requests");
    assert_eq!(access.len() as f64 + quiet, counted, "a line for each request that is not quiet");
    assert_eq!(samples.sum("http_request_duration_seconds_count", &[]), counted);
    let before_the_end = lines.iter().take_while(|line| line["message"] != "asked to shut down");
    assert_eq!(samples.sum("log_events_total", &[]), before_the_end.count() as f64);
    let panics = lines.iter().filter(|line| line["target"] == "redpane::panic").count();
    assert_eq!(panics, 40);
    for line in &lines {
        let start = ["timestamp", "level", "app", "trace_id", "span_id", "target", "message"];
        let places = start.map(|key| line.text.find(&format!("\"{key}\":")).unwrap());
        assert!(places.is_sorted() && places[0] == 1, "{}", line.text);
    }
}

#[tokio::test]
async fn a_pipe_that_nobody_reads_holds_up_no_request_and_the_loss_is_told() {
    const REQUESTS: usize = 4000;
    let command = redpane(&[], &[("REDPANE_LOG_BUFFER_BYTES", "64KiB")]);
    let (process, address) = listening(command, Reading::NotFurtherThanItsAddress).await;
    load(address, "/hello/ada", REQUESTS).await;
    let blocked = scrape(address).await;
    let lost = blocked.value("log_lines_dropped_total", &[("reason", "buffer_full")]);
    assert!(lost > 0.0 && lost < REQUESTS as f64, "{lost} lines were lost");
    process.read_on();
    process.line("log lines were lost").await;
    load(address, "/hello/again", 8).await;
    let samples = scrape(address).await;
    assert_eq!(samples.sum("log_lines_dropped_total", &[]), lost, "nothing is lost any more");
    assert_eq!(samples.sum("http_requests_total", &[("route", "/hello/{name}")]), REQUESTS as f64 + 8.0);

    let lines = lines_at_the_end(process).await;
    let announcements: Vec<_> = lines.iter().filter(|line| line["message"] == "log lines were lost").collect();
    let announced: u64 = announcements.iter().map(|line| line["lines"].as_u64().unwrap()).sum();
    assert_eq!(announced as f64, lost);
    assert!(announcements.iter().all(|line| line["level"] == "WARN"));
    let written = lines.iter().filter(|line| line.is_access()).count();
    assert_eq!(written + announced as usize, REQUESTS + 8);
    assert_eq!(lines.iter().filter(|line| line.get("path").is_some_and(|path| path == "/hello/again")).count(), 8);
}

#[tokio::test]
async fn blocking_loses_nothing_to_a_slow_reader() {
    const REQUESTS: usize = 400;
    let variables = [("REDPANE_LOG_BUFFER_BYTES", "64KiB"), ("REDPANE_LOG_WHEN_FULL", "block")];
    let (process, address) = listening(redpane(&[], &variables), Reading::Slowly).await;
    load(address, &format!("/hello/{}", "x".repeat(4000)), REQUESTS).await;
    assert_eq!(scrape(address).await.sum("log_lines_dropped_total", &[]), 0.0);
    let lines = lines_at_the_end(process).await;
    assert_eq!(lines.iter().filter(|line| line.is_access()).count(), REQUESTS);
    assert!(lines.iter().all(|line| line["message"] != "log lines were lost"));
}

#[tokio::test]
async fn blocking_gives_up_on_a_reader_that_is_gone_for_good() {
    let variables = [("REDPANE_LOG_BUFFER_BYTES", "64KiB"), ("REDPANE_LOG_WHEN_FULL", "block")];
    let (process, address) = listening(redpane(&[], &variables), Reading::NotFurtherThanItsAddress).await;
    // More than pipe, batch and buffer hold; the first line without room waits for its deadline.
    let path = format!("/hello/{}", "x".repeat(6000));
    let sent = tokio::spawn(client::get_many(address, path, 60));
    let lost = eventually("a line was lost", async || {
        let lost = scrape(address).await.value("log_lines_dropped_total", &[("reason", "deadline_passed")]);
        (lost > 0.0).then_some(())
    });
    lost.await;
    process.read_on();
    assert!(sent.await.unwrap().iter().all(StatusCode::is_success));
    let lines = lines_at_the_end(process).await;
    let announced: u64 = lines.iter().filter_map(|line| line.get("lines")?.as_u64()).sum();
    assert_eq!(lines.iter().filter(|line| line.is_access()).count() as u64 + announced, 60);
}
