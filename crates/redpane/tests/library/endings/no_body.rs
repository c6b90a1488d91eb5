//! Answers that have no body by the rules of HTTP, and errors that axum itself answers with.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::DefaultBodyLimit;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use http::{Method, StatusCode};
use test_support::client::request;
use test_support::{Scripted, Step};

use super::{assert_line, one};

fn asked(method: Method, path: &str) -> http::Request<Body> {
    request(method, path).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn head_of_a_known_length() {
    let router = Router::new().route("/", get(|| async { "hello" }));
    let (answer, line) = one(router, asked(Method::HEAD, "/")).await;
    assert_eq!(answer.header("content-length"), "5");
    assert_line(&line, "INFO complete HEAD / 200");
    assert_eq!(line["response_bytes"], 0);
}

#[tokio::test]
async fn head_of_a_stream() {
    let router = Router::new().route("/", get(|| async { Scripted::body([Step::Data("unread"), Step::Hang]) }));
    let (answer, line) = one(router, asked(Method::HEAD, "/")).await;
    assert!(answer.whole && answer.body.is_empty());
    assert_line(&line, "INFO complete HEAD / 200");
}

#[tokio::test]
async fn no_content() {
    let router = Router::new().route("/", get(|| async { StatusCode::NO_CONTENT }));
    let (answer, line) = one(router, asked(Method::GET, "/")).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_line(&line, "INFO complete GET / 204");
}

#[tokio::test]
async fn no_content_with_a_body_that_nobody_reads() {
    let handler = || async { (StatusCode::NO_CONTENT, Scripted::body([Step::Data("unread"), Step::Hang])) };
    let (answer, line) = one(Router::new().route("/", get(handler)), asked(Method::GET, "/")).await;
    assert!(answer.body.is_empty());
    assert_line(&line, "INFO complete GET / 204");
    assert_eq!(line["response_bytes"], 0);
}

#[tokio::test]
async fn not_modified() {
    let handler = || async { (StatusCode::NOT_MODIFIED, [("etag", "\"1\"")], "unread").into_response() };
    let (answer, line) = one(Router::new().route("/", get(handler)), asked(Method::GET, "/")).await;
    assert_eq!(answer.status, StatusCode::NOT_MODIFIED);
    assert_line(&line, "INFO complete GET / 304");
    assert_eq!(line["response_bytes"], 0);
}

#[tokio::test]
async fn not_found() {
    let router = Router::new().route("/", get(|| async { "hello" }));
    let (answer, line) = one(router, asked(Method::GET, "/nowhere/17")).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_line(&line, "WARN complete GET unmatched 404");
    assert_eq!(line["path"], "/nowhere/17");
}

#[tokio::test]
async fn method_not_allowed() {
    let router = Router::new().route("/orders/{id}", get(|| async { "one" }));
    let (answer, line) = one(router, asked(Method::DELETE, "/orders/3")).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.header("allow"), "GET,HEAD");
    assert_line(&line, "WARN complete DELETE /orders/{id} 405");
}

#[tokio::test]
async fn a_method_nobody_knows_is_not_allowed_either() {
    let router = Router::new().route("/", get(|| async { "hello" }));
    let (answer, line) = one(router, asked(Method::from_bytes(b"BREW").unwrap(), "/")).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_line(&line, "WARN complete _OTHER / 405");
}

#[tokio::test]
async fn too_large_by_its_announced_length() {
    let router = Router::new().route("/", post(|body: Bytes| async { body })).layer(DefaultBodyLimit::max(4));
    let (answer, line) = one(router, request(Method::POST, "/").body("too long".into()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_line(&line, "WARN complete POST / 413");
    assert_eq!(line["request_bytes"], 8, "what was announced");
}

#[tokio::test]
async fn too_large_as_it_turns_out() {
    let router = Router::new().route("/", post(|body: Bytes| async { body })).layer(DefaultBodyLimit::max(4));
    let chunks = Scripted::body([Step::Data("too "), Step::Data("long")]);
    let (answer, line) = one(router, request(Method::POST, "/").body(chunks).unwrap()).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_line(&line, "WARN complete POST / 413");
}

#[tokio::test]
async fn a_handlers_own_error() {
    let router = Router::new().route("/", get(|| async { (StatusCode::BAD_GATEWAY, "upstream is gone") }));
    let (answer, line) = one(router, asked(Method::GET, "/")).await;
    assert_eq!(answer.text(), "upstream is gone");
    assert_line(&line, "ERROR complete GET / 502");
}
