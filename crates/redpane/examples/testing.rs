//! How an application tests what it counts and logs: each test has a telemetry of its own, so they run in parallel.
//!
//! Run it with `cargo run --example testing`, which prints what a request left behind, and its tests with
//! `cargo test --example testing`.
#![allow(clippy::print_stdout, reason = "it shows what it found")]

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use axum::{Router, routing::get};
use redpane::{ExpositionFormat, Redpane, Telemetry};
use tower::ServiceExt;

/// What is tested; `main` of the real application calls it too, with the telemetry that it installed.
fn app(telemetry: Telemetry) -> Router {
    let refused = || async {
        redpane::record_error(&io::Error::other("no stock"));
        (StatusCode::CONFLICT, "sold out\n")
    };
    telemetry.instrument(Router::new().route("/", get(|| async { "hello\n" })).route("/orders", get(refused)))
}

/// A log output in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Sends a request without a socket; gives the answer's body, the metrics and the log.
async fn left_behind_by(path: &str) -> Result<[String; 3], Box<dyn std::error::Error>> {
    let log = Log::default();
    let telemetry = Redpane::new("testing").log_writer(log.clone()).build()?;
    let response = app(telemetry.clone()).oneshot(Request::get(path).body(Body::empty())?).await?;
    // A request ends with its body: read it before you look.
    let body = to_bytes(response.into_body(), usize::MAX).await?;
    telemetry.flush(Duration::from_secs(10))?;
    let lines = log.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok([String::from_utf8(body.into())?, telemetry.render(ExpositionFormat::Text), String::from_utf8(lines)?])
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [body, metrics, log] = left_behind_by("/orders").await?;
    let counted: String = metrics.lines().filter(|line| line.starts_with("http_requests_total{")).collect();
    println!("answered: {body}counted: {counted}\nlogged: {log}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::left_behind_by;

    #[tokio::test]
    async fn a_greeting_is_counted() {
        let [body, metrics, log] = left_behind_by("/").await.unwrap();
        assert_eq!(body, "hello\n");
        assert!(metrics.contains(r#"http_requests_total{method="GET",route="/",status="200"} 1"#), "{metrics}");
        assert!(log.contains(r#""level":"INFO""#) && log.contains(r#""status":200"#), "{log}");
    }

    #[tokio::test]
    async fn a_refusal_is_a_warning() {
        let [_, metrics, log] = left_behind_by("/orders").await.unwrap();
        assert!(metrics.contains(r#"http_requests_total{method="GET",route="/orders",status="409"} 1"#), "{metrics}");
        assert!(log.contains(r#""level":"WARN""#) && log.contains(r#""status":409"#), "{log}");
        assert!(log.contains(r#""error":"no stock""#), "the line says why: {log}");
    }
}
