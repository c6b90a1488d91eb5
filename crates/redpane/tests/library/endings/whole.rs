//! Requests that end as they should.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Path;
use axum::routing::{any, get, post};
use http::{HeaderMap, Method, StatusCode};
use test_support::client::request;
use test_support::{Scripted, Step};

use super::{assert_line, one};

async fn hello(Path(name): Path<String>) -> String {
    format!("hello, {name}")
}

#[tokio::test]
async fn complete() {
    let router = Router::new().route("/hello/{name}", get(hello));
    let asked = request(Method::GET, "/hello/ada?secret=1").header("user-agent", "tests/1").body(Body::empty());
    let (answer, line) = one(router, asked.unwrap()).await;
    assert_eq!((answer.status, answer.text()), (StatusCode::OK, "hello, ada"));
    assert_line(&line, "INFO complete GET /hello/{name} 200");
    assert_eq!(line["path"], "/hello/ada", "the query is left out");
    assert_eq!(line["response_bytes"], "hello, ada".len());
    assert_eq!(line["request_bytes"], 0);
    assert_eq!(line["user_agent"], "tests/1");
    assert!(line.str("client").starts_with("127.0.0.1:"));
    assert_eq!(line.get("parent_span_id"), None);
    assert!(line["duration_seconds"].as_f64().unwrap() > 0.0);
}

#[tokio::test]
async fn without_a_body() {
    let router = Router::new().route("/", get(|| async {}));
    let (answer, line) = one(router, request(Method::GET, "/").body(Body::empty()).unwrap()).await;
    assert_eq!((answer.status, answer.text()), (StatusCode::OK, ""));
    assert_line(&line, "INFO complete GET / 200");
    assert_eq!(line["response_bytes"], 0);
    assert_eq!(line["user_agent"], serde_json::Value::Null);
}

#[tokio::test]
async fn streamed() {
    let frames = async || Scripted::body([Step::Data("one, "), Step::Data(""), Step::Data("two")]);
    let router = Router::new().route("/", get(frames));
    let (answer, line) = one(router, request(Method::GET, "/").body(Body::empty()).unwrap()).await;
    assert!(answer.whole);
    assert_eq!(answer.text(), "one, two");
    assert_line(&line, "INFO complete GET / 200");
    assert_eq!(line["response_bytes"], 8);
}

#[tokio::test]
async fn streamed_without_a_byte() {
    let router = Router::new().route("/", get(|| async { Scripted::body([]) }));
    let (answer, line) = one(router, request(Method::GET, "/").body(Body::empty()).unwrap()).await;
    assert!(answer.whole);
    assert_line(&line, "INFO complete GET / 200");
    assert_eq!(line["response_bytes"], 0);
}

#[tokio::test]
async fn with_trailers() {
    let handler = || async {
        let trailers = HeaderMap::from_iter([("checksum".parse().unwrap(), "17".parse().unwrap())]);
        ([("trailer", "checksum")], Scripted::body([Step::Data("data"), Step::Trailers(trailers)]))
    };
    let asked = request(Method::GET, "/").header("te", "trailers").body(Body::empty()).unwrap();
    let (answer, line) = one(Router::new().route("/", get(handler)), asked).await;
    assert!(answer.whole);
    assert_eq!(answer.trailers.expect("trailers come through")["checksum"], "17");
    assert_line(&line, "INFO complete GET / 200");
    assert_eq!(line["response_bytes"], 4);
}

#[tokio::test]
async fn a_request_body_of_known_length() {
    let router = Router::new().route("/", post(|body: Bytes| async { body }));
    let (answer, line) = one(router, request(Method::POST, "/").body("seventeen".into()).unwrap()).await;
    assert_eq!(answer.text(), "seventeen");
    assert_line(&line, "INFO complete POST / 200");
    assert_eq!((&line["request_bytes"], &line["response_bytes"]), (&9.into(), &9.into()));
}

#[tokio::test]
async fn a_chunked_request_body() {
    let router = Router::new().route("/", post(|body: Bytes| async { body }));
    let chunks = Scripted::body([Step::Data("seven"), Step::Data("teen!")]);
    let (answer, line) = one(router, request(Method::POST, "/").body(chunks).unwrap()).await;
    assert_eq!(answer.text(), "seventeen!");
    assert_eq!((&line["request_bytes"], &line["response_bytes"]), (&10.into(), &10.into()));
}

#[tokio::test]
async fn a_method_nobody_knows() {
    let router = Router::new().route("/", any(|method: Method| async move { method.to_string() }));
    let brew = Method::from_bytes(b"BREW").unwrap();
    let (answer, line) = one(router, request(brew, "/").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.text(), "BREW", "the application sees the method as it came");
    assert_line(&line, "INFO complete _OTHER / 200");
}

#[tokio::test]
async fn an_answer_of_the_applications_fallback() {
    let router = Router::new().fallback(|| async { "nothing here, but welcome" });
    let (answer, line) = one(router, request(Method::GET, "/anywhere").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_line(&line, "INFO complete GET unmatched 200");
    assert_eq!(line["path"], "/anywhere");
}
