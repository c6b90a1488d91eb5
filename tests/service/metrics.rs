//! What is in the scrapes of the service, beyond what the library puts there.

use http::Method;
use test_support::{Samples, client};

use crate::served::Served;

#[tokio::test]
async fn the_first_scrape_has_the_first_error_to_come() {
    let served = Served::with_faults().await;
    let samples = Samples::parse(client::get(served.address, "/metrics").await.text());
    let routes = [
        ("GET", "/"),
        ("GET", "/hello/{name}"),
        ("POST", "/echo"),
        ("GET", "/checkout"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/metrics"),
        ("PUT", "/faults"),
        ("GET", "/faults/status/{code}"),
    ];
    for (method, route) in routes {
        for status in ["200", "500"] {
            let labels = [("method", method), ("route", route), ("status", status)];
            assert_eq!(samples.value("http_requests_total", &labels), 0.0, "{labels:?}");
            assert_eq!(samples.value("http_request_duration_seconds_count", &labels), 0.0, "{labels:?}");
        }
    }
    assert_eq!(samples.value("redpane_build_info", &[("version", env!("CARGO_PKG_VERSION"))]), 1.0);
    for reason in ["buffer_full", "deadline_passed", "write_failed"] {
        assert_eq!(samples.value("log_lines_dropped_total", &[("reason", reason)]), 0.0);
    }
}

#[tokio::test]
async fn the_process_and_the_runtime() {
    let served = Served::start().await;
    let answer = client::get(served.address, "/metrics").await;
    let samples = Samples::parse(answer.text());
    for (name, kind) in [
        ("process_cpu_seconds_total", "counter"),
        ("process_resident_memory_bytes", "gauge"),
        ("process_virtual_memory_bytes", "gauge"),
        ("process_start_time_seconds", "gauge"),
        ("process_open_fds", "gauge"),
        ("process_max_fds", "gauge"),
        ("process_threads", "gauge"),
        ("tokio_workers_count", "gauge"),
        ("tokio_live_tasks_count", "gauge"),
        ("tokio_global_queue_depth", "gauge"),
        ("tokio_busy_ratio", "gauge"),
        ("tokio_total_busy_duration", "counter"),
    ] {
        let declared = format!("# TYPE {name} {kind}\n");
        assert!(answer.text().contains(&declared), "{declared} is missing in {}", answer.text());
        assert!(samples.value(name, &[]) >= 0.0, "{name}");
    }
    assert!(samples.value("process_resident_memory_bytes", &[]) > 1e6);
    assert!(samples.value("process_start_time_seconds", &[]) > 1.7e9, "seconds since 1970");
    assert_eq!(samples.value("tokio_workers_count", &[]), 1.0, "the runtime of this test");
}

#[tokio::test]
async fn past_the_series_limit_requests_are_counted_together() {
    let served = Served::with(|config| {
        config.faults = true;
        config.series_limit = 40;
    });
    let served = served.await;
    let before = Samples::parse(client::get(served.address, "/metrics").await.text());
    let free = 40 - before.value("redpane_series", &[]) as usize;
    let codes: Vec<_> = (430..430 + free + 10).collect();
    for code in &codes {
        client::get(served.address, &format!("/faults/status/{code}")).await;
    }
    let requests = codes.len() as u64;
    served.observed.finished(requests + 1).await;
    let samples = served.observed.samples();
    assert_eq!(samples.sum("http_requests_total", &[("route", "_overflow")]), 10.0);
    assert_eq!(samples.sum("http_requests_total", &[("route", "/faults/status/{code}")]), free as f64);
    assert_eq!(samples.value("redpane_series_overflow_total", &[]), 10.0);
    let routes: Vec<_> = served.observed.lines().iter().map(|line| line.str("route").to_owned()).collect();
    assert_eq!(routes, vec!["/faults/status/{code}"; codes.len()], "the lines know the route still");
}

#[tokio::test]
async fn open_metrics_and_gzip_when_asked_for() {
    let served = Served::start().await;
    let hello = client::get(served.address, "/hello/ada").await;
    let asked = client::request(Method::GET, "/metrics").header("accept", "application/openmetrics-text;version=1.0.0");
    let answer = client::send(served.address, asked.body("".into()).unwrap()).await;
    assert_eq!(answer.header("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(answer.text().ends_with("# EOF\n"));
    let exemplar = format!("# {{trace_id=\"{}\"}}", hello.header("x-trace-id"));
    assert!(answer.text().contains(&exemplar), "{exemplar} is missing in {}", answer.text());
    let asked = client::request(Method::GET, "/metrics").header("accept-encoding", "gzip");
    let answer = client::send(served.address, asked.body("".into()).unwrap()).await;
    assert_eq!((answer.header("content-encoding"), &answer.body[..2]), ("gzip", &[0x1f, 0x8b][..]));
}
