//! The trace context of a request, from whatever the caller sent.
//!
//! An input is lines: `p` and a `traceparent` header, or `s` and a `tracestate` header.

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{HeaderMap, HeaderValue, Request};
use redpane::{Redpane, RequestContext, TraceParent};
use test_support::trace_context::{is_tracestate, read_traceparent};

use super::service::Service;

thread_local! {
    static SERVICE: Service = Service::new(Redpane::new("fuzz"), Router::new().route("/", get(ids)));
}

/// What the handler knows, as headers.
async fn ids(context: RequestContext) -> HeaderMap {
    let mut headers = context.outgoing_headers();
    headers.insert("span", HeaderValue::from_bytes(context.span_id().as_bytes()).unwrap());
    if let Some(parent) = context.parent_span_id() {
        headers.insert("parent", HeaderValue::from_bytes(parent.as_bytes()).unwrap());
    }
    headers
}

/// The caller's ids come back where the W3C rules hold, else fresh ones; what goes out is the same trace.
pub fn check(input: &[u8]) {
    let mut request = Request::new(Body::empty());
    for line in input.split(|&byte| byte == b'\n') {
        let name = match line.first() {
            Some(b'p') => "traceparent",
            Some(b's') => "tracestate",
            _ => continue,
        };
        if let Ok(value) = HeaderValue::from_bytes(&line[1..]) {
            request.headers_mut().append(name, value);
        }
    }
    let all = |name: &str| request.headers().get_all(name).iter().map(HeaderValue::as_bytes).collect::<Vec<_>>();
    let (parents, states) = (all("traceparent"), all("tracestate"));
    let sent = if let [only] = parents[..] { read_traceparent(only) } else { None };
    let sent_state = (sent.is_some() && !states.is_empty()).then(|| states.join(&b','));
    let everything = parents.join(&b'\n');

    SERVICE.with(|service| {
        let answer = service.send(request);
        let header = |name: &str| answer.headers().get(name).map(HeaderValue::as_bytes);
        let text = |name: &str| header(name).map(|value| String::from_utf8(value.to_vec()).unwrap());
        let out = header("traceparent").unwrap();
        let (trace_id, span_id, flags) = read_traceparent(out).expect("what goes out is valid");
        let parsed = TraceParent::from_header(out).expect("what goes out parses again");
        assert_eq!((parsed.trace_id.to_string(), parsed.parent_id.to_string()), (trace_id.clone(), span_id.clone()));
        assert_eq!(text("x-trace-id"), Some(trace_id.clone()));
        assert_eq!(text("span"), Some(span_id.clone()));
        match &sent {
            Some((sent_trace, sent_span, sent_flags)) => {
                assert_eq!((&trace_id, flags), (sent_trace, sent_flags & 1));
                assert_ne!(&span_id, sent_span);
            }
            None => {
                assert_eq!(flags, 1, "a trace that starts here is sampled");
                assert!(!everything.windows(32).any(|part| part == trace_id.as_bytes()), "not a fresh trace id");
            }
        }
        let parent = sent.map(|(_, span, _)| span);
        assert_eq!(text("parent"), parent);
        check_state(header("tracestate"), sent_state.filter(|state| is_tracestate(state)).as_deref());

        let line = service.line();
        assert_eq!(line.get_str("trace_id"), Some(&*trace_id));
        assert_eq!(line.get_str("span_id"), Some(&*span_id));
        assert_eq!(line.get_str("parent_span_id"), parent.as_deref());
    });
}

/// A list that the W3C rules allow comes back: as it was, or whole members of a long one.
fn check_state(state: Option<&[u8]>, sent: Option<&[u8]>) {
    if sent.is_none_or(|sent| sent.len() <= 512) {
        return assert_eq!(state, sent);
    }
    let members =
        |list: &[u8]| list.split(|&byte| byte == b',').map(|member| member.trim_ascii().to_vec()).collect::<Vec<_>>();
    let sent = members(sent.unwrap_or_default());
    let Some(state) = state else {
        return assert!(sent.iter().all(|member| member.is_empty() || member.len() > 512), "{sent:?}");
    };
    assert!(state.len() <= 512 && is_tracestate(state), "{state:?}");
    let mut rest = sent.iter();
    assert!(members(state).iter().all(|kept| rest.any(|member| member == kept)), "{state:?} of {sent:?}");
}
