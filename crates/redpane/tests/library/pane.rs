//! The pane: what it shows of requests that were really made, by its JSON and its live feed.

mod access;
mod filter;
mod grpc;
mod history;
mod lines;
mod live;
mod nested;
mod traces;

use std::net::{SocketAddr, TcpListener};

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use http::{Method, Request, StatusCode};
use redpane::Redpane;
use serde_json::Value;
use test_support::client::{self, Answer};
use test_support::{Observed, eventually};

/// An application with a pane on a port of its own.
struct Shown {
    observed: Observed,
    /// Where the application is.
    app: SocketAddr,
    /// Where its pane is.
    pane: SocketAddr,
}

async fn answer(Path(status): Path<u16>) -> StatusCode {
    StatusCode::from_u16(status).unwrap()
}

impl Shown {
    async fn new() -> Self {
        Self::with(|redpane| redpane).await
    }

    async fn with(options: impl FnOnce(Redpane) -> Redpane) -> Self {
        Self::serving(options, Router::new().route("/status/{status}", get(answer))).await
    }

    async fn serving(options: impl FnOnce(Redpane) -> Redpane, router: Router) -> Self {
        let observed = Observed::with(|redpane| options(redpane.pane_history()));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let pane = listener.local_addr().unwrap();
        observed.telemetry.serve_pane(listener, None).unwrap();
        let app = observed.serve(router).await;
        Self { observed, app, pane }
    }

    /// Makes requests, and waits until they are counted and their lines are taken.
    async fn requests(&self, path: &str, count: usize) {
        let before = self.observed.samples().sum("http_requests_total", &[]) as u64;
        client::get_many(self.app, path.to_owned(), count).await;
        self.observed.finished(before + count as u64).await;
        self.observed.lines();
    }

    /// What the pane answers to an address.
    async fn get(&self, path: &str) -> Answer {
        client::get(self.pane, path).await
    }

    async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type")),
            (200, "application/json"),
            "{}",
            answer.text()
        );
        serde_json::from_slice(&answer.body).unwrap()
    }

    /// The overview, once it counts so many requests in its window.
    async fn overview_of(&self, requests: u64) -> Value {
        eventually(&format!("the pane shows {requests} requests"), async || {
            Some(self.json("/api/overview").await).filter(|overview| overview["totals"]["requests"] == requests)
        })
        .await
    }
}

/// Asserts that an answer is a problem of this status; gives its detail.
#[track_caller]
fn problem(answer: &Answer, status: u16) -> String {
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (status, "application/problem+json"));
    let problem: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(problem["status"], status);
    problem["detail"].as_str().unwrap().to_owned()
}

fn request(method: Method, path: &str, headers: &[(&str, &str)], body: &'static str) -> Request<axum::body::Body> {
    let request = Request::builder().method(method).uri(path);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(body.into()).unwrap()
}
