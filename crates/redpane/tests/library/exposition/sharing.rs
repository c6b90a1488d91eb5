//! Scrapers that come while another one is answered.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::{Context, Waker};
use std::time::Duration;

use http::HeaderMap;
use redpane::{Redpane, Telemetry};

use super::support::quiet_log;

const DEADLINE: Duration = Duration::from_secs(30);
const WAITING: usize = 20;

/// A telemetry whose first rendering stops until it is released, and how often it has rendered.
fn stopped_at_the_first() -> (Telemetry, Arc<AtomicUsize>, mpsc::Receiver<()>, mpsc::Sender<()>) {
    let telemetry = quiet_log(Redpane::new("test"));
    let rendered = Arc::new(AtomicUsize::new(0));
    let (begun, has_begun) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let released = std::sync::Mutex::new(released);
    let counted = Arc::clone(&rendered);
    telemetry.on_scrape(move || {
        if counted.fetch_add(1, Ordering::SeqCst) == 0 {
            begun.send(()).unwrap();
            released.lock().unwrap().recv_timeout(DEADLINE).unwrap();
        }
    });
    (telemetry, rendered, has_begun, release)
}

/// Lets a scrape take its place in the queue.
fn arrives<F: Future>(scrape: &mut Pin<Box<F>>) {
    assert!(scrape.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending(), "it has to wait");
}

#[tokio::test]
async fn those_who_wait_share_one_rendering() {
    let (telemetry, rendered, has_begun, release) = stopped_at_the_first();
    let headers = HeaderMap::new();
    let mut first = Box::pin(telemetry.metrics_response(&headers));
    arrives(&mut first);
    has_begun.recv_timeout(DEADLINE).unwrap();
    let mut waiting: Vec<_> = (0..WAITING).map(|_| Box::pin(telemetry.metrics_response(&headers))).collect();
    waiting.iter_mut().for_each(arrives);
    // Nobody who waits may get the first rendering: it was begun before this was counted.
    metrics::with_local_recorder(&telemetry.recorder(), || metrics::counter!("jobs_total").increment(1));
    release.send(()).unwrap();
    assert!(!first.await.body().is_empty());
    let mut bodies = Vec::new();
    for scrape in waiting {
        bodies.push(scrape.await.into_body());
    }
    assert_eq!(rendered.load(Ordering::SeqCst), 2, "one for the first, one for all others");
    for body in &bodies {
        assert!(String::from_utf8_lossy(body).contains("\njobs_total 1\n"), "what was counted before is in it");
        assert_eq!(body.as_ptr(), bodies[0].as_ptr(), "it is in memory once");
    }
    bodies.truncate(1);
    assert!(bodies[0].is_unique(), "after the last who waited it is the scrapers' alone");
}

#[tokio::test]
async fn what_nobody_waits_for_is_not_kept() {
    let (telemetry, rendered, _has_begun, release) = stopped_at_the_first();
    release.send(()).unwrap();
    let headers = HeaderMap::new();
    for scrapes in 1..4 {
        let body = telemetry.metrics_response(&headers).await.into_body();
        assert!(body.is_unique(), "it is the scraper's alone");
        assert_eq!(rendered.load(Ordering::SeqCst), scrapes, "each sees what was counted up to then");
    }
}

#[tokio::test]
async fn each_gets_the_format_it_asked_for() {
    let (telemetry, rendered, has_begun, release) = stopped_at_the_first();
    let asked = |accept: &'static str, coding: &'static str| {
        HeaderMap::from_iter([
            (http::header::ACCEPT, http::HeaderValue::from_static(accept)),
            (http::header::ACCEPT_ENCODING, http::HeaderValue::from_static(coding)),
        ])
    };
    let kinds = [
        asked("text/plain", "identity"),
        asked("text/plain", "gzip"),
        asked("application/openmetrics-text", "identity"),
    ];
    let mut first = Box::pin(telemetry.metrics_response(&kinds[0]));
    arrives(&mut first);
    has_begun.recv_timeout(DEADLINE).unwrap();
    let mut waiting: Vec<_> =
        kinds.iter().cycle().take(9).map(|kind| Box::pin(telemetry.metrics_response(kind))).collect();
    waiting.iter_mut().for_each(arrives);
    release.send(()).unwrap();
    first.await;
    for (number, scrape) in waiting.into_iter().enumerate() {
        let answer = scrape.await;
        let is_openmetrics = answer.headers()["content-type"].to_str().unwrap().contains("openmetrics");
        let is_gzip = answer.headers().contains_key("content-encoding");
        assert_eq!((is_openmetrics, is_gzip), (number % 3 == 2, number % 3 == 1));
        assert_eq!(answer.body().starts_with(&[0x1f, 0x8b]), is_gzip);
        assert_eq!(answer.body().ends_with(b"# EOF\n"), is_openmetrics);
    }
    assert_eq!(rendered.load(Ordering::SeqCst), 4, "one for the first, one for each kind");
}
