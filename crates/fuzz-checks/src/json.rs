//! Log lines, of whatever an application logs and a client sends.
//!
//! Operations (see [`input`](super::input)): `a` with a text: the application's name. `e` with a level from 0 to 4, a
//! target, and fields: an event. `s` with a name and fields: a span around what follows; `u` with fields: recorded in it;
//! `x`: its end. `r` with a method, a path, a user agent and a request id: a request.
//! For the values of fields see [`value`].

mod callsite;
mod event;
mod value;

use axum::Router;
use axum::body::Body;
use http::{HeaderValue, Method, Request, Uri};
use redpane::Redpane;
use serde_json::Value;
use test_support::Line;
use tracing::subscriber;
use tracing_subscriber::Registry;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;

use self::event::{Event, Spans};
use self::value::cut;
use super::input::{Operation, operations, text};
use super::service::Service;

/// One line each, of what was given and nothing else.
enum Expected {
    Event(Event),
    Access { path: String, user_agent: Option<String>, request_id: Option<String> },
}

/// Exactly one line for each event and each request; what [`Service::lines`] checks; and every value comes back.
pub fn check(input: &[u8]) {
    let app = operations(input).find(|operation| operation.kind == b'a').map(|operation| operation.text(0));
    let app = app.unwrap_or_else(|| "fuzz".into());
    let options = Redpane::new(app.clone()).log_filter(Targets::new().with_default(LevelFilter::TRACE));
    let service = Service::new(options, Router::new());
    let mut expected = Vec::new();
    subscriber::with_default(Registry::default().with(service.telemetry.log_layer()), || {
        let mut spans = Spans::default();
        for operation in operations(input) {
            match operation.kind {
                b's' => spans.open(&operation),
                b'u' => spans.record(&operation),
                b'x' => spans.close(),
                b'e' => expected.push(Expected::Event(spans.emit(&operation))),
                b'r' => expected.extend(request(&service, &operation)),
                _ => {}
            }
        }
    });
    let lines = service.lines();
    assert_eq!(lines.len(), expected.len(), "lines");
    for (line, expected) in lines.iter().zip(&expected) {
        assert_eq!(line.get_str("app"), Some(&*cut(&app, 256)));
        match expected {
            Expected::Event(event) => event.check(line),
            Expected::Access { path, user_agent, request_id } => {
                check_access(line, path, user_agent.as_deref(), request_id.as_deref());
            }
        }
    }
}

fn request(service: &Service, operation: &Operation<'_>) -> Option<Expected> {
    let mut request = Request::new(Body::empty());
    *request.method_mut() = Method::from_bytes(operation.detail).ok()?;
    *request.uri_mut() = Uri::try_from(operation.part(0)).ok()?;
    if request.uri().path() == "/metrics" {
        return None;
    }
    let path = cut(request.uri().path(), 2048);
    let sent = |at: usize| operation.parts.get(at).and_then(|part| HeaderValue::from_bytes(part).ok());
    for (name, at) in [("user-agent", 1), ("x-request-id", 2)] {
        if let Some(value) = sent(at) {
            request.headers_mut().insert(name, value);
        }
    }
    let user_agent = sent(1).map(|agent| match agent.as_bytes() {
        long if long.len() > 512 => text(&long[..512]) + "…[cut]",
        short => text(short),
    });
    let answer = service.send(request);
    let request_id = answer.headers().get("x-request-id").map(|id| id.to_str().unwrap().to_owned());
    Some(Expected::Access { path, user_agent, request_id })
}

fn check_access(line: &Line, path: &str, user_agent: Option<&str>, request_id: Option<&str>) {
    let keys: Vec<_> = line.own_fields().iter().map(|(key, _)| key.as_str()).collect();
    let [request, sizes] = [
        ["method", "route", "path", "status", "outcome"],
        ["duration_seconds", "request_bytes", "response_bytes", "client", "user_agent"],
    ];
    assert_eq!(keys, [&request[..], &sizes, &["request_id"]].concat());
    assert_eq!((line.get_str("target"), line.get_str("message")), (Some("redpane::access"), Some("request")));
    assert_eq!((line.get_str("level"), line.get("status")), (Some("WARN"), Some(&Value::from(404))));
    assert_eq!((line.get_str("path"), line.get_str("user_agent")), (Some(path), user_agent));
    assert_eq!(line.get_str("request_id"), request_id);
}
