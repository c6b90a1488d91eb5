//! A binary for the service over real sockets, in process and as a process: what it answers, what it makes of settings, how
//! it ends, what it writes meanwhile, and what a real Prometheus reads of it.
#![cfg(unix)]
// Helpers are no `#[test]` functions, which is all that clippy.toml can make an exception for.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod checkout;
mod clock;
mod config;
mod errors;
mod faults;
mod filter_seeds;
mod last_scrape;
mod limits;
mod metrics;
mod output;
mod pane;
mod prometheus;
mod protocol;
mod proxies;
mod receiver;
mod receiver_bounds;
mod receivers;
mod routes;
mod served;
mod shutdown;
mod signals;
mod spans;
mod unwanted;

use std::process::Command;

use axum::body::Body;
use http::{Method, Request};
use serde_json::Value;
use test_support::client::{self, Answer};
use test_support::process;

/// The real service, on a free port unless the test says otherwise.
fn redpane(arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    process::service(env!("CARGO_BIN_EXE_redpane"), arguments, variables)
}

const JSON: (&str, &str) = ("content-type", "application/json");

fn json(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_else(|error| panic!("{error} in {answer:?}"))
}

fn post(path: &str, body: impl Into<Body>) -> Request<Body> {
    client::request(Method::POST, path).header(JSON.0, JSON.1).body(body.into()).unwrap()
}

fn bare(method: &str, path: &str) -> Request<Body> {
    client::request(method.parse().unwrap(), path).body(Body::empty()).unwrap()
}

/// Asserts that an answer is an error as every error of the service is, with this status; gives what it says in detail.
#[track_caller]
fn assert_problem(answer: &Answer, status: u16) -> String {
    assert_eq!(answer.status.as_u16(), status, "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let problem = json(answer);
    assert_eq!(problem["status"], status);
    assert_eq!(problem["title"], answer.status.canonical_reason().unwrap());
    assert_eq!(problem["trace_id"], answer.header("x-trace-id"));
    problem["detail"].as_str().unwrap_or_else(|| panic!("no detail: {problem}")).to_owned()
}
