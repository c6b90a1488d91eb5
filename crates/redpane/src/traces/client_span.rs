//! CLIENT spans: calls to other services, made by whoever passes the trace context on to them.

use std::time::Duration;

use super::encode::{Value, attribute, bytes, cut, fixed32, fixed64, head, varint};
use super::request_fields::STATUS_ERROR;
use super::span::{KNOWN_PARENT, MAX_METHOD, id, span_method, trace_state};
use super::tag;
use crate::request::context::RequestContext;
use crate::trace_context::ids::SpanId;

const CLIENT: u64 = 3;
/// The most bytes of a URL.
const MAX_URL: usize = 2048;

/// A call that has ended.
#[derive(Debug)]
pub(crate) struct ClientSpan<'a> {
    /// The span that the other service got as its parent.
    pub(crate) span_id: &'a SpanId,
    /// The span around the call: the request's own, or an INTERNAL one.
    pub(crate) parent: &'a SpanId,
    /// A standard method, or `_OTHER`.
    pub(crate) method: &'a str,
    /// The method itself, where that is `_OTHER`.
    pub(crate) other_method: Option<&'a str>,
    /// Without user, password and query. Where it is not known, the path is told alone.
    pub(crate) url: Option<&'a str>,
    pub(crate) path: &'a str,
    /// The service, as it was declared.
    pub(crate) peer: &'a str,
    /// The service's address, as far as the call says it.
    pub(crate) host: Option<&'a str>,
    pub(crate) port: Option<u16>,
    /// Since 1970.
    pub(crate) started: Duration,
    pub(crate) nanoseconds: u64,
    /// Where the other service answered.
    pub(crate) status: Option<u16>,
    /// Where it did not, or its answer broke off: the kind of error, of few values.
    pub(crate) error: Option<&'a str>,
}

/// Adds a call to the request that made it. Its span is exported where the request's is; nothing happens where no spans are.
pub(crate) fn add(context: &RequestContext, call: &ClientSpan<'_>) {
    if let Some(spans) = context.telemetry().sampler() {
        let mut out = Vec::with_capacity(512);
        encode(&mut out, context, call);
        spans.add_child(context, &out);
    }
}

fn encode(out: &mut Vec<u8>, context: &RequestContext, call: &ClientSpan<'_>) {
    id(out, tag::TRACE_ID, context.trace_id().as_bytes());
    id(out, tag::SPAN_ID, call.span_id.as_bytes());
    id(out, tag::PARENT_SPAN_ID, call.parent.as_bytes());
    fixed32(out, tag::FLAGS, KNOWN_PARENT | u32::from(context.flags()));
    trace_state(out, context);
    bytes(out, tag::NAME, span_method(call.method).as_bytes());
    varint(out, tag::KIND, CLIENT);
    let started = u64::try_from(call.started.as_nanos()).unwrap_or(u64::MAX);
    fixed64(out, tag::START, started);
    fixed64(out, tag::END, started.saturating_add(call.nanoseconds));
    let mut add = |key: &str, value| attribute(out, tag::ATTRIBUTES, key, value);
    add("http.request.method", Value::Text(call.method));
    if let Some(method) = call.other_method {
        add("http.request.method_original", Value::Text(cut(method, MAX_METHOD)));
    }
    match call.url {
        Some(url) => add("url.full", Value::Text(cut(url, MAX_URL))),
        None => add("url.path", Value::Text(cut(call.path, MAX_URL))),
    }
    // The name that a map of services gives whoever does not answer with a span of its own.
    add("peer.service", Value::Text(call.peer));
    if let Some(host) = call.host {
        add("server.address", Value::Text(host));
    }
    if let Some(port) = call.port {
        add("server.port", Value::Integer(port.into()));
    }
    if let Some(status) = call.status {
        add("http.response.status_code", Value::Integer(status.into()));
    }
    // Unlike a server's, a client's span has failed with 4xx too.
    let mut text = itoa::Buffer::new();
    let failed = call.status.filter(|status| *status >= 400).map(|status| text.format(status));
    if let Some(kind) = call.error.or(failed) {
        add("error.type", Value::Text(kind));
        head(out, tag::STATUS, 2);
        varint(out, 3, STATUS_ERROR);
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use bytes::Bytes;
    use http::{Request, Response};
    use http_body_util::{BodyExt, Empty, Full};
    use test_support::otlp::{Receiver, SpanKind, Value};
    use tower::{ServiceBuilder, ServiceExt};

    use super::*;
    use crate::request::current::current;
    use crate::{Otlp, Redpane};

    #[tokio::test]
    async fn a_call_is_a_child_of_its_request() {
        let receiver = Receiver::start().await;
        let redpane = Redpane::new("test").log_writer(std::io::sink()).otlp(Otlp::new(receiver.endpoint()));
        let telemetry = redpane.build().unwrap();
        let handler = |_: Request<Empty<Bytes>>| async {
            let context = current().unwrap();
            for (status, error) in [(Some(200), None), (Some(404), None), (None, Some("timeout"))] {
                let call = ClientSpan {
                    span_id: &SpanId::random(),
                    parent: context.span_id(),
                    method: "GET",
                    other_method: None,
                    url: Some("http://orders:8000/checkout"),
                    path: "/checkout",
                    peer: "orders",
                    host: Some("orders"),
                    port: Some(8000),
                    started: Duration::from_secs(1),
                    nanoseconds: 7,
                    status,
                    error,
                };
                add(&context, &call);
            }
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("done")))
        };
        let service = ServiceBuilder::new().layer(telemetry.layer()).service_fn(handler);
        let answer = service.oneshot(Request::new(Empty::new())).await.unwrap();
        answer.into_body().collect().await.unwrap();
        let flushing = telemetry.clone();
        tokio::task::spawn_blocking(move || flushing.flush(Duration::from_secs(30)).unwrap()).await.unwrap();
        let spans = receiver.spans();
        let server = spans.iter().find(|span| span.kind == SpanKind::Server as i32).unwrap();
        let calls: Vec<_> = spans.iter().filter(|span| span.kind == SpanKind::Client as i32).collect();
        assert_eq!((spans.len(), calls.len()), (4, 3), "{spans:?}");
        for call in &calls {
            assert_eq!((&call.trace_id, &call.parent_span_id), (&server.trace_id, &server.span_id));
            assert_eq!((call.name.as_str(), call.end_time_unix_nano), ("GET", 1_000_000_007));
        }
        let error = |at: usize| {
            let found = calls[at].attributes.iter().find(|attribute| attribute.key == "error.type");
            (found.map(|found| found.value.clone().unwrap().value.unwrap()), calls[at].status.is_some())
        };
        let text = |text: &str| (Some(Value::StringValue(text.into())), true);
        assert_eq!([error(0), error(1), error(2)], [(None, false), text("404"), text("timeout")]);
    }
}
