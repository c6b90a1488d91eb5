//! The examples do what they say.

mod ends;
mod others;
#[cfg(feature = "pane")]
mod pane;

use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;

use axum::body::Body;
use http::{Method, Request};
use test_support::process::{Process, Reading, free_address};
use test_support::{Line, Samples, client, eventually};

/// Cargo builds the examples before it runs the tests, and puts them beside the directory of the tests.
pub(crate) fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().and_then(|deps| deps.parent()).unwrap().join("examples").join(name);
    let hint = "a plain `cargo test` builds it; before `cargo test --test library` run `cargo build --examples`";
    assert!(path.exists(), "{} is missing: {hint}", path.display());
    path
}

fn post(path: &str) -> Request<Body> {
    client::request(Method::POST, path).body(Body::empty()).unwrap()
}

/// Runs an example on a free port and waits until it can be reached.
async fn start(name: &str) -> (Process, SocketAddr) {
    let (process, [address]) = start_on(name).await;
    (process, address)
}

/// The same for an example with several listeners.
async fn start_on<const N: usize>(name: &str) -> (Process, [SocketAddr; N]) {
    start_with(name, &[]).await
}

/// The same with variables of the environment.
pub(crate) async fn start_with<const N: usize>(name: &str, variables: &[(&str, &str)]) -> (Process, [SocketAddr; N]) {
    let addresses = [(); N].map(|()| free_address());
    let mut command = Command::new(program(name));
    command.envs(variables.iter().copied());
    command.args(addresses.map(|address| address.to_string()));
    let process = Process::spawn(command, Reading::AsItComes);
    for address in addresses {
        eventually("the example listens", async || TcpStream::connect(address).ok()).await;
    }
    (process, addresses)
}

/// The first access line of this route.
async fn access_line(process: &Process, route: &str) -> Line {
    eventually(&format!("a line of {route}"), async || {
        process.lines().into_iter().find(|line| line.is_access() && line["route"] == route)
    })
    .await
}

#[tokio::test]
async fn one_line() {
    let (process, address) = start("one_line").await;
    let answer = client::get(address, "/hello/ada").await;
    assert_eq!(answer.text(), "hello, ada\n");
    let line = process.line("request").await;
    answer.belongs_to(&line);
    assert_eq!((line.str("app"), line.str("route"), line.str("path")), ("one-line", "/hello/{name}", "/hello/ada"));
    let samples = Samples::parse(client::get(address, "/metrics").await.text());
    let labels = [("method", "GET"), ("route", "/hello/{name}"), ("status", "200")];
    assert_eq!(samples.value("http_requests_total", &labels), 1.0);
    assert_eq!(samples.value("http_request_duration_seconds_count", &labels), 1.0);
}

#[tokio::test]
async fn custom_metrics() {
    let (process, address) = start("custom_metrics").await;
    let answer = client::send(address, post("/orders/3")).await;
    assert_eq!(answer.text(), "3 items are on their way\n");
    assert_eq!(client::send(address, post("/orders/0")).await.status, 422);
    let scraped = client::get(address, "/metrics").await;
    let samples = Samples::parse(scraped.text());
    assert_eq!(samples.value("orders_total", &[("result", "taken")]), 1.0);
    assert_eq!(samples.value("orders_total", &[("result", "refused")]), 1.0);
    assert_eq!(samples.value("order_items_bucket", &[("le", "2")]), 0.0);
    assert_eq!(samples.value("order_items_bucket", &[("le", "5")]), 1.0);
    assert_eq!(samples.value("last_order_items", &[]), 3.0);
    assert!(scraped.text().contains("# HELP orders_total Orders by result.\n"));
    let line = process.line("order taken").await;
    assert_eq!((&line["items"], line.str("trace_id")), (&3.into(), answer.header("x-trace-id")));
}

#[tokio::test]
async fn own_subscriber() {
    let (process, address) = start("own_subscriber").await;
    let answer = client::get(address, "/").await;
    assert_eq!(answer.text(), "look at the log\n");
    for message in ["handled", "worked on after the answer", "request"] {
        let line = process.line(message).await;
        assert_eq!(line["trace_id"], answer.header("x-trace-id"), "{}", line.text);
    }
    assert_eq!(process.line("handled").await["answer"], 42);
    eventually("the application's own output", async || process.errors().contains("handled").then_some(())).await;
}
