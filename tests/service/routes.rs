//! What each route answers when all is well.

use http::StatusCode;
use serde_json::json;
use test_support::client::{self, Answer};
use test_support::{Line, Samples};

use super::{bare, json, post};
use crate::served::Served;

/// Sends a GET to a service of its own; gives the answer and the line, which agree with each other and the metrics.
async fn get(path: &str) -> (Answer, Line) {
    let served = Served::start().await;
    let answer = client::get(served.address, path).await;
    let line = served.observed.only_request().await;
    answer.belongs_to(&line);
    (answer, line)
}

#[tokio::test]
async fn root_says_who_answers() {
    let (answer, line) = get("/").await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "application/json"));
    let about = json(&answer);
    assert_eq!(about["service"], "redpane");
    assert_eq!(about["version"], env!("CARGO_PKG_VERSION"));
    assert!(about["revision"].as_str().is_some_and(|revision| !revision.is_empty()));
    assert!((0.0..10.0).contains(&about["uptime_seconds"].as_f64().unwrap()), "{about}");
    assert_eq!((line.str("route"), line.str("level"), line.str("app")), ("/", "INFO", "api"));
    assert!(line.str("client").starts_with("127.0.0.1:"), "the address of the client: {}", line.text);
}

#[tokio::test]
async fn hello_greets_whoever_comes_under_one_route() {
    let (answer, line) = get("/hello/Ad%C3%A4?secret=1").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(json(&answer), json!({"message": "Hello, Adä!"}));
    assert_eq!((line.str("route"), line.str("path")), ("/hello/{name}", "/hello/Ad%C3%A4"));
}

#[tokio::test]
async fn echo_gives_the_same_bytes_back() {
    let served = Served::start().await;
    let body = r#" {"b": 1.50, "a":[true,null,"\u00e4ä"], "big": 123456789012345678901234567890} "#;
    let answer = client::send(served.address, post("/echo", body)).await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "application/json"));
    assert_eq!(answer.text(), body);
    let line = served.observed.only_request().await;
    answer.belongs_to(&line);
    assert_eq!((line.str("method"), line.str("route")), ("POST", "/echo"));
    assert_eq!((&line["request_bytes"], &line["response_bytes"]), (&json!(body.len()), &json!(body.len())));
}

#[tokio::test]
async fn probes_and_metrics_answer_and_are_counted_without_a_line() {
    let served = Served::start().await;
    for (path, status) in [("/healthz", "alive"), ("/readyz", "ready")] {
        let answer = client::get(served.address, path).await;
        assert_eq!((answer.status, answer.header("cache-control")), (StatusCode::OK, "no-store"));
        assert_eq!(json(&answer)["status"], status);
    }
    let answer = client::get(served.address, "/metrics").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let counted = [("GET /healthz 200".into(), 1.0), ("GET /readyz 200".into(), 1.0)];
    assert_eq!(Samples::parse(answer.text()).requests(), counted);
    served.observed.finished(3).await;
    assert!(served.observed.lines().is_empty());
}

#[tokio::test]
async fn head_answers_like_get_without_a_body() {
    let served = Served::start().await;
    for (path, content_type) in
        [("/hello/ada", "application/json"), ("/healthz", "application/json"), ("/metrics", "text/plain")]
    {
        let answer = client::send(served.address, bare("HEAD", path)).await;
        assert_eq!((answer.status, answer.text()), (StatusCode::OK, ""), "{path}");
        assert!(answer.header("content-type").starts_with(content_type), "{path}");
        assert!(answer.header("content-length").parse::<u64>().unwrap() > 0, "{path}: what a GET would get");
        assert_eq!(answer.header("x-trace-id").len(), 32);
    }
    served.observed.finished(3).await;
    let [line] = &served.observed.lines()[..] else { panic!("one line, of the greeting") };
    assert_eq!((line.str("method"), line.str("route")), ("HEAD", "/hello/{name}"));
    assert_eq!(line["response_bytes"], 0);
}

#[tokio::test]
async fn an_own_listener_for_the_metrics() {
    let served = Served::with(|config| config.metrics_listen = Some(([127, 0, 0, 1], 0).into())).await;
    let metrics = served.metrics_address.unwrap();
    let status = async |address, path| client::get(address, path).await.status;
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(status(metrics, path).await, StatusCode::OK, "{path}");
    }
    assert_eq!(status(served.address, "/hello/ada").await, StatusCode::OK);
    assert_eq!(status(served.address, "/healthz").await, StatusCode::OK);
    let nothing = client::get(served.address, "/metrics").await;
    assert!(super::assert_problem(&nothing, 404).contains("/metrics"));
    super::assert_problem(&client::get(metrics, "/hello/ada").await, 404);
    let wrong = client::send(metrics, bare("DELETE", "/metrics")).await;
    super::assert_problem(&wrong, 405);
    let counted = Samples::parse(client::get(metrics, "/metrics").await.text());
    let labels = [("route", "/hello/{name}"), ("status", "200")];
    assert_eq!(counted.value("http_requests_total", &labels), 1.0, "one set of metrics for both");
}
