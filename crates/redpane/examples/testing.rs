//! How an application tests what it counts and logs: each test has a telemetry of its own, so they run in parallel.
//!
//! Run it with `cargo run --example testing`, which prints what a request left behind, and its tests with
//! `cargo test --example testing`.
#![allow(clippy::print_stdout, reason = "it shows what it found")]

use std::io;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use axum::{Router, routing::get};
use redpane::testing::{Observed, observe};
use redpane::{Redpane, Telemetry};
use tower::ServiceExt;

/// What is tested; `main` of the real application calls it too, with the telemetry that it installed.
fn app(telemetry: Telemetry) -> Router {
    let refused = || async {
        redpane::record_error(&io::Error::other("no stock"));
        (StatusCode::CONFLICT, "sold out\n")
    };
    telemetry.instrument(Router::new().route("/", get(|| async { "hello\n" })).route("/orders", get(refused)))
}

/// Sends a request without a socket; gives what it left behind.
async fn asked(path: &str) -> Observed {
    let (telemetry, seen) = observe(Redpane::new("testing"));
    let request = Request::get(path).body(Body::empty()).expect("a request");
    let answer = app(telemetry).oneshot(request).await.expect("a router answers");
    // A request ends with its body: read it before you look.
    to_bytes(answer.into_body(), usize::MAX).await.expect("the whole body");
    seen
}

#[tokio::main]
async fn main() {
    let seen = asked("/orders").await;
    println!("counted: {}\nlogged: {}", seen.requests("GET", "/orders", 409), seen.line("/orders"));
}

#[cfg(test)]
mod tests {
    use super::asked;

    #[tokio::test]
    async fn a_greeting_is_counted() {
        let seen = asked("/").await;
        assert_eq!(seen.requests("GET", "/", 200), 1);
        assert_eq!(seen.line("/").text("level"), Some("INFO"));
    }

    #[tokio::test]
    async fn a_refusal_is_a_warning_that_says_why() {
        let seen = asked("/orders").await;
        assert_eq!(seen.requests("GET", "/orders", 409), 1);
        let line = seen.line("/orders");
        assert_eq!((line.text("level"), line.text("error")), (Some("WARN"), Some("no stock")));
    }
}
