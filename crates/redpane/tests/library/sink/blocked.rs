//! Outputs that stand still.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Request, StatusCode};
use redpane::{OverflowPolicy, Redpane};
use test_support::{Log, block_until};
use tower::ServiceExt;

use super::outputs::Gate;
use super::support::{PATIENCE, announced, dropped, emit, events, numbers, read, small};

const LINES: u64 = 1000;

#[tokio::test]
async fn requests_are_answered_while_nobody_reads_standard_output() {
    let (mut reader, writer) = std::io::pipe().unwrap();
    let telemetry = small(writer).build().unwrap();
    let app = telemetry.clone().instrument(Router::new().route("/", get(|| async { "hello" })));
    for _ in 0..LINES {
        let request = Request::get("/").header("user-agent", "x".repeat(300)).body(Body::empty()).unwrap();
        let answering = tokio::time::timeout(PATIENCE, app.clone().oneshot(request));
        assert_eq!(answering.await.expect("blocked by its log line").unwrap().status(), StatusCode::OK);
    }
    let lost = dropped(&telemetry, "buffer_full");
    assert!(lost > 0 && lost < LINES, "{lost} lines lost: a pipe and the buffer hold some of {LINES}, and not all");
    let waiting = telemetry.flush(Duration::from_millis(50)).unwrap_err().lines;
    assert!(waiting > 0 && waiting <= LINES - lost, "{waiting} lines wait, {lost} are lost");

    let reading = thread::spawn(move || {
        let mut log = Log::default();
        std::io::copy(&mut reader, &mut log).unwrap();
        log
    });
    telemetry.flush(PATIENCE).unwrap();
    assert_eq!(dropped(&telemetry, "buffer_full"), lost, "nothing more is lost");
    let counted = events(&telemetry);
    drop((app, telemetry));
    let (lines, torn) = read(&reading.join().unwrap());
    assert_eq!((announced(&lines).iter().sum::<u64>(), torn), (lost, 0), "the log says how many were lost");
    let requests = lines.iter().filter(|line| line["message"] == "request").count() as u64;
    assert_eq!(requests + lost, LINES);
    assert_eq!(counted, lines.len() as u64 + lost, "an announcement is a line too");
}

#[test]
fn a_loss_is_told_again_only_for_new_losses() {
    let gate = Gate::default();
    let telemetry = small(gate.clone()).build().unwrap();
    // The output stands still before the buffer is full, so one announcement tells of all that is lost.
    emit(&telemetry, 0..1);
    block_until("a write is blocked", || gate.is_waiting());
    emit(&telemetry, 1..LINES);
    let lost = dropped(&telemetry, "buffer_full");
    gate.open();
    telemetry.flush(PATIENCE).unwrap();
    emit(&telemetry, LINES..LINES + 10);
    telemetry.flush(PATIENCE).unwrap();
    let (lines, _) = read(&gate.written);
    assert_eq!(announced(&lines), [lost]);
    let kept = numbers(&lines);
    assert_eq!(kept.len() as u64 + lost, LINES + 10);
    assert!(kept.is_sorted(), "lines keep their order");
    assert_eq!(kept[kept.len() - 10..], Vec::from_iter(LINES..LINES + 10));
}

#[test]
fn blocking_loses_nothing_while_room_comes_in_time() {
    let gate = Gate::default();
    let telemetry = small(gate.clone()).log_overflow(OverflowPolicy::Block { deadline: PATIENCE }).build().unwrap();
    thread::scope(|scope| {
        let emitting = scope.spawn(|| emit(&telemetry, 0..LINES));
        block_until("a write is blocked", || gate.is_waiting());
        assert!(!emitting.is_finished(), "a full buffer holds the logging thread up");
        gate.open();
    });
    telemetry.flush(PATIENCE).unwrap();
    let (lines, torn) = read(&gate.written);
    assert_eq!(numbers(&lines), Vec::from_iter(0..LINES));
    assert_eq!((announced(&lines).len(), torn, dropped(&telemetry, "deadline_passed")), (0, 0, 0));
}

#[test]
fn blocking_gives_up_at_the_deadline_and_counts() {
    const DEADLINE: Duration = Duration::from_millis(15);
    let gate = Gate::default();
    let telemetry = small(gate.clone()).log_overflow(OverflowPolicy::Block { deadline: DEADLINE }).build().unwrap();
    let mut emitted = 0;
    while dropped(&telemetry, "deadline_passed") == 0 {
        emit(&telemetry, emitted..emitted + 1);
        emitted += 1;
        assert!(emitted < LINES, "the buffer is never full");
    }
    let started = Instant::now();
    emit(&telemetry, emitted..emitted + 4);
    emitted += 4;
    assert!(started.elapsed() >= 4 * DEADLINE, "each line waits for its deadline");
    assert_eq!((dropped(&telemetry, "deadline_passed"), dropped(&telemetry, "buffer_full")), (5, 0));
    gate.open();
    telemetry.flush(PATIENCE).unwrap();
    let (lines, _) = read(&gate.written);
    assert_eq!(announced(&lines), [5]);
    assert_eq!(numbers(&lines), Vec::from_iter(0..emitted - 5));
}

#[test]
fn a_flush_says_how_many_lines_wait() {
    let gate = Gate::default();
    let telemetry = small(gate.clone()).build().unwrap();
    telemetry.flush(Duration::ZERO).expect("nothing to wait for");
    emit(&telemetry, 0..3);
    let error = telemetry.flush(Duration::from_millis(20)).unwrap_err();
    assert_eq!(error.lines, 3);
    assert!(error.to_string().contains("3 log lines"), "{error}");
    gate.open();
    telemetry.flush(Duration::MAX).unwrap();
    assert_eq!(numbers(&read(&gate.written).0), [0, 1, 2]);
}

#[test]
fn a_flush_ends_while_others_go_on_logging() {
    let log = Log::default();
    let telemetry = Redpane::new("test").log_writer(log.clone()).build().unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    thread::scope(|scope| {
        let others = scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                emit(&telemetry, 100..110);
            }
        });
        for number in 0..10 {
            emit(&telemetry, number..number + 1);
            let flushed = telemetry.flush(Duration::from_secs(10));
            // The others write more than a test should parse.
            let written = log.take_text();
            stop.store(flushed.is_err() || number == 9, Ordering::Relaxed);
            flushed.unwrap();
            assert!(written.contains(&format!("\"number\":{number},")));
        }
        others.join().unwrap();
    });
}

#[test]
fn what_is_in_the_buffer_is_written_after_the_last_handle_is_gone() {
    let gate = Gate::default();
    let telemetry = small(gate.clone()).build().unwrap();
    emit(&telemetry, 0..50);
    drop(telemetry);
    gate.open();
    block_until("all is written", || numbers(&read(&gate.written).0).len() == 50);
}
