//! Trace context and request ids, in and out.

use axum::body::Body;
use axum::routing::get;
use axum::{Json, Router};
use http::{HeaderValue, Method, StatusCode};
use redpane::RequestContext;
use serde_json::{Value, json};
use test_support::client::{self, Answer, request};
use test_support::{Line, Observed, serve};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// Answers with the headers that a call to the next service would carry.
async fn outgoing(context: RequestContext) -> Json<Value> {
    let headers = context.outgoing_headers();
    let header = |name| headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap().to_owned());
    Json(json!({
        "traceparent": header("traceparent"), "tracestate": header("tracestate"),
        "x-request-id": header("x-request-id"), "count": headers.len(),
    }))
}

/// Sends a request with these headers. Gives the outgoing headers, the access line and the answer.
async fn pass_through(headers: &[(&'static str, &[u8])]) -> (Value, Line, Answer) {
    let observed = Observed::new();
    let address = observed.serve(Router::new().route("/", get(outgoing))).await;
    let mut asked = request(Method::GET, "/").body(Body::empty()).unwrap();
    for (name, value) in headers {
        asked.headers_mut().append(*name, HeaderValue::from_bytes(value).unwrap());
    }
    let answer = client::send(address, asked).await;
    assert_eq!(answer.status, StatusCode::OK, "headers are never a reason for an error");
    let line = observed.only_request().await;
    answer.belongs_to(&line);
    let outgoing: Value = serde_json::from_slice(&answer.body).unwrap();
    let traceparent = outgoing["traceparent"].as_str().unwrap();
    assert!(
        traceparent.starts_with(&format!("00-{}-{}-", line.str("trace_id"), line.str("span_id"))),
        "the next service's parent is this request's span: {traceparent}"
    );
    assert_eq!(outgoing["x-request-id"], line["request_id"]);
    (outgoing, line, answer)
}

fn assert_is_id(id: &str, digits: usize) {
    assert!(id.len() == digits && id.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')), "{id}");
    assert!(id.bytes().any(|digit| digit != b'0'));
}

#[tokio::test]
async fn a_valid_traceparent_is_continued() {
    for (flags, passed_on) in [("00", "00"), ("01", "01"), ("ff", "01"), ("fe", "00")] {
        let sent = format!("00-{TRACE}-{PARENT}-{flags}");
        let (outgoing, line, _) = pass_through(&[("traceparent", sent.as_bytes())]).await;
        assert_eq!((&line["trace_id"], &line["parent_span_id"]), (&TRACE.into(), &PARENT.into()));
        assert_is_id(line.str("span_id"), 16);
        assert_ne!(line["span_id"], PARENT);
        assert!(outgoing["traceparent"].as_str().unwrap().ends_with(&format!("-{passed_on}")), "{flags}: {outgoing}");
    }
}

#[tokio::test]
async fn a_later_version_is_read_as_far_as_it_is_known() {
    let sent = format!("cc-{TRACE}-{PARENT}-01-whatever-comes-later");
    let (outgoing, line, _) = pass_through(&[("traceparent", sent.as_bytes())]).await;
    assert_eq!(line["trace_id"], TRACE);
    assert!(outgoing["traceparent"].as_str().unwrap().starts_with("00-"), "passed on in the version that is known");
}

#[tokio::test]
async fn without_a_traceparent_a_trace_begins() {
    let (outgoing, line, _) = pass_through(&[]).await;
    assert_is_id(line.str("trace_id"), 32);
    assert_is_id(line.str("span_id"), 16);
    assert_is_id(line.str("request_id"), 16);
    assert_eq!(line.get("parent_span_id"), None);
    assert_eq!(outgoing["tracestate"], Value::Null);
    assert_eq!(outgoing["count"], 2);
}

#[tokio::test]
async fn an_invalid_traceparent_is_as_good_as_none() {
    let zeros = "0".repeat(32);
    let invalid: Vec<Vec<u8>> = [
        String::new(),
        "not a traceparent".into(),
        format!("ff-{TRACE}-{PARENT}-01"),
        format!("0-{TRACE}-{PARENT}-01"),
        format!("0x-{TRACE}-{PARENT}-01"),
        format!("00-{zeros}-{PARENT}-01"),
        format!("00-{TRACE}-{}-01", &zeros[..16]),
        format!("00-{}-{PARENT}-01", TRACE.to_uppercase()),
        format!("00-{TRACE}-{}-01", PARENT.to_uppercase()),
        format!("00-{}-{PARENT}-01", &TRACE[1..]),
        format!("00-{TRACE}0-{PARENT}-01"),
        format!("00-{TRACE}-{PARENT}"),
        format!("00-{TRACE}-{PARENT}-1"),
        format!("00-{TRACE}-{PARENT}-0g"),
        format!("00-{TRACE}-{PARENT}-01-extra"),
        format!("00-{TRACE}-{PARENT}-01,00-{TRACE}-{PARENT}-01"),
        format!("00_{TRACE}_{PARENT}_01"),
        format!("{TRACE}-{PARENT}-01"),
        format!("00-{TRACE}-{PARENT}-01{}", "a".repeat(60_000)),
    ]
    .into_iter()
    .map(String::into_bytes)
    .chain([[b"00-\xff", TRACE.as_bytes()].concat(), format!("00-{}é-{PARENT}-01", &TRACE[2..]).into_bytes()])
    .collect();
    for sent in &invalid {
        let shown = String::from_utf8_lossy(&sent[..sent.len().min(80)]);
        let (outgoing, line, _) = pass_through(&[("traceparent", sent), ("tracestate", b"vendor=1")]).await;
        assert_is_id(line.str("trace_id"), 32);
        assert_ne!(line["trace_id"], TRACE, "{shown:?}");
        assert_eq!(line.get("parent_span_id"), None, "{shown:?}");
        assert_eq!(outgoing["tracestate"], Value::Null, "the state belongs to the trace that was not taken over");
    }
}

#[tokio::test]
async fn two_traceparents_say_nothing() {
    let one = format!("00-{TRACE}-{PARENT}-01");
    let other = format!("00-{}-{PARENT}-01", TRACE.replace('4', "5"));
    let (_, line, _) = pass_through(&[("traceparent", one.as_bytes()), ("traceparent", other.as_bytes())]).await;
    assert!(!one.contains(line.str("trace_id")) && !other.contains(line.str("trace_id")));
    assert_eq!(line.get("parent_span_id"), None);
}

#[tokio::test]
async fn tracestate_is_passed_on() {
    let parent = format!("00-{TRACE}-{PARENT}-01");
    let traceparent = ("traceparent", parent.as_bytes());
    let (outgoing, ..) = pass_through(&[traceparent, ("tracestate", b"rojo=00f067aa0ba902b7,congo=t61rcWkgMzE")]).await;
    assert_eq!(outgoing["tracestate"], "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
    let (outgoing, ..) =
        pass_through(&[traceparent, ("tracestate", b"rojo=1,congo=2"), ("tracestate", b"third=3")]).await;
    assert_eq!(outgoing["tracestate"], "rojo=1,congo=2,third=3", "several headers are one list");
    let (outgoing, ..) = pass_through(&[("tracestate", b"rojo=1")]).await;
    assert_eq!(outgoing["tracestate"], Value::Null, "alone it means nothing");
    for broken in [&b"rojo=1,Congo=2"[..], b"rojo=\xe4", b"rojo"] {
        let (outgoing, ..) = pass_through(&[traceparent, ("tracestate", broken)]).await;
        assert_eq!(outgoing["tracestate"], Value::Null, "{broken:?}");
        assert!(outgoing["traceparent"].as_str().unwrap().contains(TRACE), "the trace goes on without");
    }
    let long = (0..20).map(|at| format!("k{at}={}", "x".repeat(60))).collect::<Vec<_>>().join(",");
    let (outgoing, ..) = pass_through(&[traceparent, ("tracestate", long.as_bytes())]).await;
    let kept = outgoing["tracestate"].as_str().unwrap();
    assert!(kept.len() <= 512 && long.starts_with(&format!("{kept},")), "whole members: {kept}");
}

#[tokio::test]
async fn a_usable_request_id_is_kept() {
    let longest = "x".repeat(128);
    for id in ["7f3c-A_b.~!", "\"quoted\\\"", "{}", &longest] {
        let (_, line, answer) = pass_through(&[("x-request-id", id.as_bytes())]).await;
        assert_eq!((line.str("request_id"), answer.header("x-request-id")), (id, id));
    }
}

#[tokio::test]
async fn any_other_request_id_is_replaced() {
    let (too_long, huge) = ("x".repeat(129), "x".repeat(100_000));
    for id in [
        &b""[..],
        b"two words",
        b"tab\there",
        "caf\u{e9}".as_bytes(),
        b"\xff\xfe",
        too_long.as_bytes(),
        huge.as_bytes(),
    ] {
        let (_, line, _) = pass_through(&[("x-request-id", id)]).await;
        assert_is_id(line.str("request_id"), 16);
    }
}

#[tokio::test]
async fn the_trace_id_of_the_answer_is_the_requests_own_and_a_request_id_of_the_application_stays() {
    let forged = || async { ([("x-trace-id", "forged"), ("x-request-id", "of the application")], "hello") };
    let observed = Observed::new();
    let answer = client::get(observed.serve(Router::new().route("/", get(forged))).await, "/").await;
    assert_eq!(answer.header("x-trace-id"), observed.only_request().await["trace_id"]);
    assert_eq!(answer.header("x-request-id"), "of the application");
}

#[tokio::test]
async fn the_extractor_outside_of_the_instrumentation_says_what_is_missing() {
    let answer = client::get(serve(Router::new().route("/", get(outgoing))).await, "/").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let problem: Value = serde_json::from_slice(&answer.body).unwrap();
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("not instrumented") && detail.contains("Redpane::instrument"), "{detail}");
    assert_eq!(problem.get("trace_id"), None, "there is none");
}
