//! The promise of every scrape, while eight threads write: `http_requests_total` = `_count` = `+Inf`, and nothing goes back.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use axum::Router;
use axum::extract::Path;
use axum::routing::any;
use http::{Method, StatusCode};
use redpane::{ExpositionFormat, Redpane};
use test_support::exposition::{Exposition, Labels};

use super::support::{quiet_log, send};

const WRITERS: usize = 8;
const REQUESTS: usize = 1500;
const STATUSES: [u16; 5] = [200, 204, 404, 500, 503];

fn app(telemetry: &redpane::Telemetry) -> Router {
    let handler = |Path(code): Path<u16>| async move {
        metrics::counter!("jobs_total", "code" => code.to_string()).increment(2);
        metrics::histogram!("job_seconds").record(0.25);
        (StatusCode::from_u16(code).unwrap(), "some text")
    };
    telemetry.clone().instrument(Router::new().route("/status/{code}", any(handler)))
}

/// Checks one scrape; returns all values that may only grow.
fn check(seen: &Exposition) -> HashMap<(String, Labels), f64> {
    for total in seen.samples("http_requests_total") {
        let labels: Vec<_> = total.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut infinity = labels.clone();
        infinity.push(("le", "+Inf"));
        assert_eq!(seen.value("http_request_duration_seconds_count", &labels), Some(total.value), "{labels:?}");
        assert_eq!(seen.value("http_request_duration_seconds_bucket", &infinity), Some(total.value), "{labels:?}");
    }
    let growing = |name: &str, kind: &str| kind == "counter" || (kind == "histogram" && !name.ends_with("_sum"));
    let samples = seen.families.iter().flat_map(|family| family.samples.iter().map(|sample| (&family.kind, sample)));
    samples
        .filter(|(kind, sample)| growing(&sample.name, kind))
        .map(|(_, sample)| ((sample.name.clone(), sample.labels.clone()), sample.value))
        .collect()
}

#[test]
fn counter_count_and_infinity_agree_in_every_scrape_and_never_go_back() {
    let telemetry = quiet_log(Redpane::new("test"));
    let app = app(&telemetry);
    let done = AtomicBool::new(false);
    let scrapes = thread::scope(|scope| {
        let scraper = scope.spawn(|| {
            // One memory for each format: they spell `le` differently.
            let mut before: [HashMap<(String, Labels), f64>; 2] = Default::default();
            let mut scrapes = 0;
            while !done.load(Ordering::Relaxed) || scrapes < 4 {
                let format = [ExpositionFormat::Text, ExpositionFormat::OpenMetrics][scrapes % 2];
                let now = check(&Exposition::of(&telemetry.render(format), format));
                for (series, value) in &before[scrapes % 2] {
                    assert!(now.get(series).is_some_and(|now| now >= value), "{series:?} was {value}");
                }
                before[scrapes % 2] = now;
                scrapes += 1;
            }
            scrapes
        });
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                scope.spawn({
                    let app = &app;
                    move || write(app, writer)
                })
            })
            .collect();
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        done.store(true, Ordering::Relaxed);
        scraper.join().unwrap()
    });
    assert!(scrapes >= 4, "{scrapes} scrapes");

    let seen = Exposition::of(&telemetry.render(ExpositionFormat::Text), ExpositionFormat::Text);
    check(&seen);
    let sent = (WRITERS * REQUESTS) as f64;
    let each = sent / STATUSES.len() as f64 / 2.0;
    for status in STATUSES.map(|status| status.to_string()) {
        for method in ["GET", "POST"] {
            let labels = [("method", method), ("route", "/status/{code}"), ("status", &*status)];
            assert_eq!(seen.value("http_requests_total", &labels), Some(each), "{labels:?}");
        }
        assert_eq!(seen.value("jobs_total", &[("code", &status)]), Some(4.0 * each));
    }
    assert_eq!(seen.sum("http_requests_total"), sent);
    assert_eq!(seen.sum("http_request_size_bytes_count"), sent);
    assert_eq!(seen.sum("http_response_size_bytes_count"), sent);
    // 204 has no body, all others nine bytes.
    assert_eq!(seen.sum("http_response_size_bytes_sum"), sent * 0.8 * 9.0);
    assert_eq!(seen.value("job_seconds_count", &[]), Some(sent));
    assert_eq!(seen.value("job_seconds_sum", &[]), Some(sent * 0.25));
    assert_eq!(seen.value("http_requests_in_flight", &[]), Some(0.0));
    assert_eq!(seen.value("log_events_total", &[("level", "INFO")]), Some(sent * 0.4));
}

fn write(app: &Router, writer: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        for number in 0..REQUESTS {
            let code = STATUSES[(number + writer) % STATUSES.len()];
            let method = if (number / STATUSES.len()).is_multiple_of(2) { Method::GET } else { Method::POST };
            send(app, method, &format!("/status/{code}"), &[]).await;
        }
    });
}
