//! Every error answer: problem+json with the trace id, counted and logged under the same.

use axum::body::Body;
use http::{Request, header};
use test_support::{Scripted, Step, client, raw};

use super::{assert_problem, bare, post};
use crate::served::Served;

fn post_as(content_type: &str, body: &'static str) -> Request<Body> {
    let mut request = post("/echo", body);
    request.headers_mut().insert(header::CONTENT_TYPE, content_type.parse().unwrap());
    request
}

/// Sends each request to one service; the detail of each error must contain what stands beside it.
async fn assert_errors(cases: Vec<(Request<Body>, u16, &str)>) {
    let served = Served::start().await;
    let mut answers = Vec::new();
    for (request, status, detail) in cases {
        let what = format!("{} {}", request.method(), request.uri());
        let answer = client::send(served.address, request).await;
        let found = assert_problem(&answer, status);
        assert!(found.contains(detail), "{what}: {found}");
        answers.push(answer);
    }
    let lines = served.observed.access_lines(answers.len() as u64).await;
    for (answer, line) in answers.iter().zip(&lines) {
        answer.belongs_to(line);
        assert_eq!((line["status"].as_u64(), line.str("level")), (Some(answer.status.as_u16().into()), "WARN"));
    }
}

#[tokio::test]
async fn unknown_paths() {
    let paths = ["/nope", "/hello", "/hello/", "/hello/a/b", "/metrics/", "/HEALTHZ", "//", "/faults"];
    assert_errors(paths.map(|path| (bare("GET", path), 404, path)).into()).await;
}

#[tokio::test]
async fn bodies_that_echo_does_not_take() {
    let without_type = client::request(http::Method::POST, "/echo").body(Body::from("{}")).unwrap();
    let cases = vec![
        (without_type, 415, "application/json"),
        (post_as("text/plain", "{}"), 415, "application/json"),
        (post("/echo", ""), 400, "empty"),
        (post("/echo", "{\"a\": 1,\n  b: 2}"), 400, "line 2 column 3"),
        (post("/echo", "{} {}"), 400, "line 1 column 4"),
        (post("/echo", vec![b'"', b'a', 0xff, b'"']), 400, "offset 2"),
        (post("/echo", "[".repeat(200) + &"]".repeat(200)), 422, "cannot be represented"),
        (post("/echo", "1e999"), 422, "cannot be represented"),
        (bare("GET", "/hello/%ff"), 400, "UTF-8"),
    ];
    assert_errors(cases).await;
}

/// Whoever sends a lot must not get a lot back: what an error repeats of a request is bounded.
#[tokio::test]
async fn an_error_repeats_little_of_a_large_request() {
    let served = Served::with_faults().await;
    let long = "\u{1F980}".repeat(8_000);
    let quoted = format!("\"{}\"", "x".repeat(900_000));
    let encoded = "%ff".repeat(20_000);
    let put = |body: String| {
        let mut request = post("/faults", body);
        *request.method_mut() = http::Method::PUT;
        request
    };
    let requests = [
        bare("GET", &format!("/{encoded}")),
        bare("GET", &format!("/hello/{encoded}")),
        bare("GET", &format!("/faults/status/{encoded}")),
        bare(&"X".repeat(30_000), "/"),
        client::request(http::Method::POST, "/echo").header("content-type", long).body(Body::empty()).unwrap(),
        post("/echo", format!("{quoted} {quoted}")),
        post("/echo", format!("[{}]", "9".repeat(900_000))),
        put(quoted.clone()),
        put(format!("{{{quoted}:{quoted}}}")),
        put(format!("{{\"delay_ms\":{quoted}}}")),
        put(format!("{{\"delay_ms\":[{}1]}}", "1,".repeat(400_000))),
    ];
    for (index, request) in requests.into_iter().enumerate() {
        let answer = client::send(served.address, request).await;
        assert!(answer.status.is_client_error(), "{index}: {answer:?}");
        assert!(answer.body.len() < 1024, "{index}: {} bytes", answer.body.len());
    }
}

#[tokio::test]
async fn wrong_methods_name_the_right_ones() {
    let served = Served::with_faults().await;
    let cases = [
        ("POST", "/", "GET,HEAD"),
        ("DELETE", "/hello/ada", "GET,HEAD"),
        ("GET", "/echo", "POST"),
        ("PUT", "/healthz", "GET,HEAD"),
        ("PATCH", "/readyz", "GET,HEAD"),
        ("POST", "/metrics", "GET,HEAD"),
        ("OPTIONS", "/metrics", "GET,HEAD"),
        ("POST", "/faults", "GET,HEAD,PUT,DELETE"),
        ("POST", "/faults/panic", "GET,HEAD"),
        ("TRACE", "/", "GET,HEAD"),
        ("BREW", "/", "GET,HEAD"),
        ("get", "/", "GET,HEAD"),
    ];
    for (method, path, allow) in cases {
        let answer = client::send(served.address, bare(method, path)).await;
        let detail = assert_problem(&answer, 405);
        assert!(detail.starts_with(method), "{detail}");
        assert_eq!(answer.header("allow"), allow, "{method} {path}");
    }
    let lines = served.observed.access_lines(cases.len() as u64).await;
    assert!(lines.iter().all(|line| line["status"] == 405 && line["level"] == "WARN"));
    let methods: Vec<_> = lines.iter().rev().take(3).map(|line| line.str("method")).collect();
    assert_eq!(methods, ["_OTHER", "_OTHER", "TRACE"]);
}

#[tokio::test]
async fn a_wrong_method_without_a_body() {
    let served = Served::start().await;
    let answer = client::send(served.address, bare("HEAD", "/echo")).await;
    assert_eq!((answer.status.as_u16(), answer.text()), (405, ""));
    assert_eq!((answer.header("allow"), answer.header("content-type")), ("POST", "application/problem+json"));
    answer.belongs_to(&served.observed.only_request().await);
}

#[tokio::test]
async fn a_declared_body_beyond_the_limit_is_refused_before_it_comes() {
    let served = Served::with(|config| config.body_limit = 100).await;
    let head = "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 101\r\n\r\n";
    let mut stream = raw::send(served.address, head).await;
    let answer = raw::read_until(&mut stream, "}").await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(answer.contains("content-type: application/problem+json"), "{answer}");
    assert!(answer.contains("larger than 100 bytes"), "{answer}");
    drop(stream);
    let line = served.observed.only_request().await;
    assert_eq!((&line["status"], line.str("outcome")), (&413.into(), "complete"));
    assert!(answer.contains(&format!("\"trace_id\":{}", line["trace_id"])), "{answer}");
}

#[tokio::test]
async fn a_chunked_body_beyond_the_limit_is_refused_when_it_is_there() {
    let served = Served::with(|config| config.body_limit = 20).await;
    let halves = || [Step::Data("\"123456789"), Step::Data("123456789\"")];
    let fits = client::send(served.address, post("/echo", Scripted::body(halves()))).await;
    assert_eq!((fits.status.as_u16(), fits.text()), (200, "\"123456789123456789\""));
    let one_more = halves().into_iter().chain([Step::Data(" ")]);
    let answer = client::send(served.address, post("/echo", Scripted::body(one_more))).await;
    assert!(assert_problem(&answer, 413).contains("larger than 20 bytes"));
    let lines = served.observed.access_lines(2).await;
    answer.belongs_to(&lines[1]);
}
