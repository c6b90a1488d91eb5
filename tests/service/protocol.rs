//! What clients may send that hardly any client sends.

use axum::body::Body;
use http::{Method, StatusCode, Version};
use test_support::{Samples, client, raw};

use super::{assert_problem, json};
use crate::served::Served;

const END: &str = "\r\nhost: localhost\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn requests_without_a_path_do_no_harm() {
    let served = Served::start().await;
    let cases = [
        ("OPTIONS * HTTP/1.1", "404", "*"),
        ("CONNECT example.com:443 HTTP/1.1", "404", ""),
        ("GET http://example.com/hello/ada HTTP/1.1", "200", "/hello/ada"),
    ];
    for (asked, status, _) in cases {
        let answer = raw::exchange(served.address, format!("{asked}{END}")).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{asked}: {answer}");
        assert!(status == "200" || answer.contains("application/problem+json"), "{asked}: {answer}");
    }
    let lines = served.observed.access_lines(3).await;
    for ((asked, status, path), line) in cases.iter().zip(&lines) {
        assert_eq!((line.str("path"), line["status"].to_string()), (*path, (*status).to_owned()), "{asked}");
    }
    assert_eq!(client::get(served.address, "/healthz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn http_1_0_is_answered_and_closed() {
    let served = Served::start().await;
    let answer = raw::exchange(served.address, "GET /hello/ada HTTP/1.0\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
    assert!(answer.ends_with("{\"message\":\"Hello, ada!\"}"), "{answer}");
    served.observed.only_request().await;
}

#[tokio::test]
async fn a_refused_request_is_counted_and_logged_under_its_route() {
    let served = Served::start().await;
    let cases = [
        ("GET", "/hello/ada", "/hello/{name}"),
        ("HEAD", "/hello/ada", "/hello/{name}"),
        ("POST", "/hello/ada", "/hello/{name}"),
        ("GET", "/nope", "unmatched"),
    ];
    for (method, path, _) in cases {
        let answer = raw::exchange(served.address, format!("{method} {path} HTTP/1.1\r\nhost: b{END}")).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{method} {path}: {answer}");
        assert!(method == "HEAD" || answer.contains("more than one Host header"), "{method} {path}: {answer}");
    }
    let lines = served.observed.access_lines(4).await;
    for ((method, path, route), line) in cases.iter().zip(&lines) {
        assert_eq!((line.str("method"), line.str("route")), (*method, *route), "{path}");
        assert_eq!((line["status"].to_string(), line.str("outcome")), ("400".into(), "complete"), "{path}");
    }
    let refused = raw::exchange(served.address, format!("GET /metrics HTTP/1.1\r\nhost: b{END}")).await;
    assert!(refused.starts_with("HTTP/1.1 400"), "{refused}");
    let metrics = client::get(served.address, "/metrics").await;
    let samples = Samples::parse(metrics.text());
    assert_eq!(samples.sum("http_requests_total", &[("status", "400")]), 5.0);
    assert_eq!(samples.sum("http_requests_total", &[("status", "400"), ("route", "/metrics")]), 1.0);
}

#[tokio::test]
async fn http_2_with_prior_knowledge() {
    let served = Served::with_faults().await;
    let asked = |path: &str| client::request(Method::GET, path).version(Version::HTTP_2).body("".into()).unwrap();
    let answer = client::send_http2(served.address, asked("/hello/ada")).await;
    assert_eq!((answer.status, &json(&answer)["message"]), (StatusCode::OK, &"Hello, ada!".into()));
    let nothing = client::send_http2(served.address, asked("/nope")).await;
    assert_problem(&nothing, 404);
    let cut = client::send_http2(served.address, asked("/faults/cut")).await;
    assert!(!cut.whole, "the stream is reset: {cut:?}");
    let lines = served.observed.access_lines(3).await;
    [answer, nothing, cut].iter().zip(&lines).for_each(|(answer, line)| answer.belongs_to(line));
    assert_eq!(lines[2].str("outcome"), "body_error");
    let metrics = client::send_http2(served.address, asked("/metrics")).await;
    assert_eq!(Samples::parse(metrics.text()).sum("http_requests_total", &[]), 3.0);
}

#[tokio::test]
async fn ids_that_come_are_passed_on() {
    let served = Served::start().await;
    let request = client::request(Method::GET, "/nope")
        .header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        .header("x-request-id", "order-17");
    let answer = client::send(served.address, request.body("".into()).unwrap()).await;
    assert_problem(&answer, 404);
    assert_eq!(answer.header("x-trace-id"), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(answer.header("x-request-id"), "order-17");
    let line = served.observed.only_request().await;
    answer.belongs_to(&line);
    assert_eq!(line["parent_span_id"], "00f067aa0ba902b7");
}

/// A browser with many cookies must not find one protocol closed that the other leaves open.
#[tokio::test]
async fn a_large_head_is_as_welcome_over_http_2_as_over_http_1() {
    let served = Served::start().await;
    let asked = |bytes: usize| client::request(Method::GET, "/hello/ada").header("cookie", "c".repeat(bytes));
    let one = asked(60_000).body(Body::empty()).unwrap();
    assert_eq!(client::send(served.address, one).await.status, StatusCode::OK);
    let two = asked(60_000).body(Body::empty()).unwrap();
    assert_eq!(client::send_http2(served.address, two).await.status, StatusCode::OK);
    let beyond = asked(70_000).body(Body::empty()).unwrap();
    assert_eq!(client::send_http2(served.address, beyond).await.status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
}
