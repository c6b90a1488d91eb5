//! Every span that was to be exported is exported or counted as dropped, whatever the receiver does.

use std::time::{Duration, Instant};

use axum::body::Body;
use http::Request;
use redpane::{Otlp, Redpane};
use test_support::otlp::{Behaviour, Receiver};
use test_support::{Observed, until};
use tower::ServiceExt;

use super::{LONG, ask_for, dropped, exported, flush, observed};

pub(super) async fn ask_many(observed: &Observed, requests: usize) {
    for _ in 0..requests {
        ask_for(observed, "/hello/ada").await;
    }
}

/// Ends the export within a bound. Everything is counted then.
pub(super) async fn end(observed: &Observed, deadline: Duration, sampled: u64) {
    let telemetry = observed.telemetry.clone();
    let counts = tokio::task::spawn_blocking(move || telemetry.end_spans(deadline)).await.unwrap();
    assert_eq!(counts.exported + counts.dropped, sampled, "{counts:?}");
    let all = observed.samples().sum("trace_spans_dropped_total", &[]) as u64;
    assert_eq!((counts.exported, counts.dropped), (exported(observed), all));
}

#[tokio::test]
async fn batches_come_in_their_size_and_after_their_delay() {
    let receiver = Receiver::start().await;
    let observed = observed(&receiver, |otlp| otlp.batch_spans(10).delay(Duration::from_millis(20)));
    ask_many(&observed, 25).await;
    until("all spans came", || (receiver.spans().len() == 25).then_some(())).await;
    until("they are counted", || (exported(&observed) == 25).then_some(())).await;
    let sizes = receiver.batches().into_iter().map(|batch| batch.resource_spans[0].scope_spans[0].spans.len());
    assert!(sizes.into_iter().all(|spans| spans <= 10));
    end(&observed, LONG, 25).await;
}

/// The specification bounds a batch by the queue. One that could never be full would go after its delay only.
#[tokio::test]
async fn a_batch_is_full_when_the_queue_is() {
    let receiver = Receiver::start().await;
    let long = Duration::from_secs(3600);
    let variables = [
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", receiver.endpoint()),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "5".to_owned()),
        ("OTEL_BSP_SCHEDULE_DELAY", long.as_millis().to_string()),
    ];
    let find = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
    let otlp = Otlp::from_variables(find).unwrap().unwrap();
    let observed = Observed::by(Redpane::new("test").otlp(otlp));
    for batches in 1..=3 {
        ask_many(&observed, 5).await;
        until("a batch came", || (exported(&observed) == 5 * batches).then_some(())).await;
    }
    end(&observed, LONG, 15).await;
}

#[tokio::test]
async fn statuses_that_may_pass_are_tried_again() {
    let receiver = Receiver::start().await;
    let observed = observed(&receiver, |otlp| otlp);
    for (requests, status) in [(1, 429), (2, 502), (3, 503), (4, 504)] {
        receiver.behave(Behaviour::Status(status, None));
        ask_many(&observed, 1).await;
        let attempts = receiver.attempts().len();
        let telemetry = observed.telemetry.clone();
        let flushed = tokio::task::spawn_blocking(move || telemetry.flush(LONG));
        until("two attempts", || (receiver.attempts().len() >= attempts + 2).then_some(())).await;
        receiver.behave(Behaviour::Accept);
        flushed.await.unwrap().unwrap();
        assert_eq!((receiver.spans().len(), exported(&observed)), (requests, requests as u64), "{status}");
    }
    end(&observed, LONG, 4).await;
}

#[tokio::test]
async fn a_receiver_says_when_to_come_again() {
    let receiver = Receiver::start().await;
    let observed = observed(&receiver, |otlp| otlp.delay(Duration::ZERO));
    receiver.behave(Behaviour::Status(429, Some("2")));
    let started = Instant::now();
    ask_many(&observed, 1).await;
    until("an attempt", || (receiver.attempts().len() == 1).then_some(())).await;
    receiver.behave(Behaviour::Accept);
    until("the span came", || (receiver.spans().len() == 1).then_some(())).await;
    assert!(started.elapsed() >= Duration::from_secs(2), "{:?}", started.elapsed());
    assert_eq!(receiver.attempts().len(), 2);
}

/// Whoever flushes has a deadline for that; the receiver has its own reasons.
#[tokio::test]
async fn a_flush_does_not_come_before_a_receiver_wants_it() {
    let receiver = Receiver::start().await;
    let observed = observed(&receiver, |otlp| otlp);
    receiver.behave(Behaviour::Status(503, Some("2")));
    ask_many(&observed, 1).await;
    let telemetry = observed.telemetry.clone();
    let flush = move || telemetry.flush(Duration::from_millis(300));
    tokio::task::spawn_blocking(flush.clone()).await.unwrap().unwrap_err();
    receiver.behave(Behaviour::Accept);
    tokio::task::spawn_blocking(flush).await.unwrap().unwrap_err();
    assert_eq!(receiver.attempts().len(), 1);
    end(&observed, LONG, 1).await;
    assert_eq!((receiver.attempts().len(), exported(&observed)), (2, 1), "the end does not wait");
}

/// However many batches wait, and whatever the receiver asks for: each gets its attempt, and the end is there.
#[tokio::test]
async fn the_end_gives_each_batch_one_attempt_and_waits_for_nothing() {
    let receiver = Receiver::start().await;
    let observed = observed(&receiver, |otlp| otlp.batch_spans(1));
    receiver.behave(Behaviour::Status(429, Some("600")));
    ask_many(&observed, 8).await;
    until("an attempt", || (receiver.attempts().len() == 1).then_some(())).await;
    let started = Instant::now();
    end(&observed, LONG, 8).await;
    assert!(started.elapsed() < LONG / 2, "{:?}", started.elapsed());
    assert_eq!((receiver.attempts().len(), dropped(&observed, "shutdown")), (1 + 8, 8));
}

#[tokio::test]
async fn what_the_receiver_refuses_is_counted() {
    let receiver = Receiver::start().await;
    let observed = observed(&receiver, |otlp| otlp);
    receiver.behave(Behaviour::Half);
    ask_many(&observed, 10).await;
    flush(&observed).await;
    assert_eq!((exported(&observed), dropped(&observed, "rejected")), (5, 5));
    receiver.behave(Behaviour::Status(400, None));
    ask_many(&observed, 3).await;
    flush(&observed).await;
    assert_eq!((exported(&observed), dropped(&observed, "rejected")), (5, 8));
    end(&observed, LONG, 13).await;
}

#[tokio::test]
async fn a_receiver_that_was_away_gets_what_waited() {
    let receiver = Receiver::start().await;
    let observed = observed(&receiver, |otlp| otlp.batch_spans(4));
    receiver.die().await;
    ask_many(&observed, 10).await;
    let telemetry = observed.telemetry.clone();
    let failed = tokio::task::spawn_blocking(move || telemetry.flush(Duration::from_millis(50)));
    let error = failed.await.unwrap().unwrap_err();
    assert_eq!((error.spans, error.lines), (10, 0));
    receiver.come_back().await;
    flush(&observed).await;
    assert_eq!((receiver.spans().len(), exported(&observed)), (10, 10));
    end(&observed, LONG, 10).await;
}

#[tokio::test]
async fn a_receiver_that_stays_away_costs_the_end_its_bound_and_nothing_uncounted() {
    let receiver = Receiver::start().await;
    receiver.die().await;
    let observed = observed(&receiver, |otlp| otlp.batch_spans(4));
    ask_many(&observed, 10).await;
    end(&observed, Duration::from_millis(100), 10).await;
    assert_eq!(dropped(&observed, "shutdown"), 10);
    // A span that comes later is counted too.
    ask_many(&observed, 1).await;
    assert_eq!(dropped(&observed, "shutdown"), 11);
}

#[tokio::test]
async fn a_receiver_that_hangs_holds_up_no_request() {
    let receiver = Receiver::start().await;
    receiver.behave(Behaviour::Hang);
    let observed = observed(&receiver, |otlp| {
        otlp.batch_spans(1).timeout(Duration::from_millis(50)).give_up_after(Duration::from_millis(100))
    });
    ask_many(&observed, 20).await;
    until("some were given up", || (dropped(&observed, "timeout") > 0).then_some(())).await;
    receiver.behave(Behaviour::Slow(Duration::from_millis(5)));
    flush(&observed).await;
    assert_eq!(exported(&observed) + dropped(&observed, "timeout"), 20);
    end(&observed, LONG, 20).await;
}

#[tokio::test]
async fn a_buffer_that_is_full_drops_and_counts() {
    let receiver = Receiver::start().await;
    receiver.behave(Behaviour::Hang);
    let observed = observed(&receiver, |otlp| otlp.batch_spans(10));
    // Of 3 KiB each, of which 16 MiB have room for some 5,000.
    let app = observed.telemetry.clone().instrument(super::router());
    let path = format!("/{}", "x".repeat(2000));
    let state = ["a", "b", "c", "d"].map(|key| format!("{key}={}", "x".repeat(120))).join(",");
    for _ in 0..8000 {
        let request = Request::get(&path).header("user-agent", "x".repeat(500));
        let request = request.header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        let request = request.header("tracestate", &state).body(Body::empty()).unwrap();
        drop(app.clone().oneshot(request).await.unwrap());
    }
    let lost = dropped(&observed, "buffer_full");
    assert!((1000..6000).contains(&lost), "{lost}");
    end(&observed, Duration::ZERO, 8000).await;
}
