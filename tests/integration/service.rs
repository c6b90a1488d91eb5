//! The service: what it answers, what it makes of settings, how it ends, and what it writes meanwhile.

mod config;
mod errors;
mod examples;
mod faults;
mod limits;
mod malformed;
mod metrics;
mod output;
mod protocol;
mod receiver;
mod routes;
mod shutdown;
mod signals;

use axum::body::Body;
use http::{Method, Request};
use serde_json::Value;

use crate::helpers::client::{self, Answer};

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
