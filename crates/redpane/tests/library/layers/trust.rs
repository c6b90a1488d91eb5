//! What is believed of a caller and told to it.

use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{Empty, Full};
use serde_json::Value;
use test_support::{Line, Observed};
use tower::{Layer, service_fn};

use super::{Read, assert_line, call, get};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// Answers with the headers that a call to the next service would carry.
async fn outgoing(_: Request<Empty<Bytes>>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut response = Response::new(Full::default());
    for (name, value) in &redpane::current().unwrap().outgoing_headers() {
        let name: http::HeaderName = format!("out-{name}").parse().unwrap();
        response.headers_mut().insert(name, value.clone());
    }
    Ok(response)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap())
}

/// Sends these headers to a service that trusts its callers or does not; gives the answer and the line.
async fn sent(trusted: bool, headers: &[(&'static str, &str)]) -> (HeaderMap, Line) {
    let observed = Observed::with(|redpane| redpane.trust_trace_context(trusted));
    let mut service = observed.telemetry.layer().layer(service_fn(outgoing));
    let mut request = get("/");
    for (name, value) in headers {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    let Read { headers, .. } = call(&mut service, request).await.unwrap();
    let line = observed.only_request().await;
    assert_line(&line, "INFO complete GET unmatched 200");
    let traceparent = format!("00-{}-{}-", line.str("trace_id"), line.str("span_id"));
    assert!(text(&headers, "out-traceparent").unwrap().starts_with(&traceparent), "{headers:?}");
    assert_eq!(text(&headers, "x-trace-id"), line.get_str("trace_id"));
    (headers, line)
}

fn traceparent() -> String {
    format!("00-{TRACE}-{PARENT}-01")
}

#[tokio::test]
async fn tracestate_and_baggage_are_passed_on() {
    let traceparent = traceparent();
    let all =
        [("traceparent", &*traceparent), ("tracestate", "a=1"), ("tracestate", "b=2"), ("baggage", "tenant=acme")];
    let (headers, line) = sent(true, &all).await;
    assert_eq!((&line["trace_id"], &line["parent_span_id"]), (&TRACE.into(), &PARENT.into()));
    assert_eq!(line.get("caller_trace_id"), None);
    assert_eq!(text(&headers, "out-tracestate"), Some("a=1,b=2"));
    assert_eq!(text(&headers, "out-baggage"), Some("tenant=acme"));
}

/// Baggage is a specification of its own, and needs no trace.
#[tokio::test]
async fn baggage_without_a_trace_is_passed_on() {
    let (headers, line) =
        sent(true, &[("baggage", "tenant=acme"), ("baggage", "tier=free"), ("tracestate", "a=1")]).await;
    assert_ne!(line["trace_id"], TRACE);
    assert_eq!(text(&headers, "out-baggage"), Some("tenant=acme,tier=free"));
    assert_eq!(text(&headers, "out-tracestate"), None, "the state of no trace");
}

#[tokio::test]
async fn a_caller_that_is_not_trusted_starts_a_trace() {
    let traceparent = traceparent();
    let all = [("traceparent", &*traceparent), ("tracestate", "a=1"), ("baggage", "a=1"), ("x-request-id", "its-own")];
    let (headers, line) = sent(false, &all).await;
    assert_ne!(line["trace_id"], TRACE);
    assert_eq!(line.str("trace_id").len(), 32);
    assert_eq!((line.get("parent_span_id"), &line["caller_trace_id"]), (None, &TRACE.into()));
    assert_eq!((text(&headers, "out-tracestate"), text(&headers, "out-baggage")), (None, None));
    assert_eq!(line["request_id"], "its-own", "which is no part of the trace context");
}

#[tokio::test]
async fn a_caller_that_is_not_trusted_and_sent_no_trace() {
    for traceparent in [None, Some("00-nonsense-00-01")] {
        let headers: Vec<_> = traceparent.map(|value| ("traceparent", value)).into_iter().collect();
        let (_, line) = sent(false, &headers).await;
        assert_eq!((line.get("parent_span_id"), line.get("caller_trace_id")), (None, None));
    }
}

#[tokio::test]
async fn answers_without_ids() {
    let observed = Observed::with(|redpane| redpane.response_headers(false));
    let mut service = observed.telemetry.layer().layer(service_fn(|request: Request<Empty<Bytes>>| async {
        match request.uri().path() {
            "/panic" => panic!("falls over"),
            "/own" => {
                Ok::<_, Infallible>(Response::builder().header("x-request-id", "own").body(Full::default()).unwrap())
            }
            _ => outgoing(request).await,
        }
    }));
    let answer = call(&mut service, get("/")).await.unwrap();
    assert_eq!((text(&answer.headers, "x-trace-id"), text(&answer.headers, "x-request-id")), (None, None));
    assert!(text(&answer.headers, "out-traceparent").is_some(), "the next service is told as always");
    let answer = call(&mut service, get("/own")).await.unwrap();
    assert_eq!((text(&answer.headers, "x-trace-id"), text(&answer.headers, "x-request-id")), (None, Some("own")));
    let answer = call(&mut service, get("/panic")).await.unwrap();
    assert_eq!((text(&answer.headers, "x-trace-id"), text(&answer.headers, "x-request-id")), (None, None));
    let problem: Value = serde_json::from_slice(&answer.body.unwrap()).unwrap();
    let lines = observed.access_lines(3).await;
    assert!(lines.iter().all(|line| line.str("trace_id").len() == 32 && line.str("request_id").len() == 16));
    assert_eq!((answer.status.as_u16(), &problem["status"]), (500, &500.into()));
}
