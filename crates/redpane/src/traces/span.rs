//! What a span is made of, encoded as a field of OTLP's `ScopeSpans`.
//!
//! Attributes and status follow OpenTelemetry's stable conventions for HTTP, and those for RPC. The query of a request is left out, as it is in
//! access lines: it often holds what nobody should keep.

use std::net::IpAddr;

use tracing::Level;

use super::encode::{self, Value, attribute, bytes, cut, fixed32, fixed64, varint};
use super::request_fields::{call, error, field};
use super::tag;
use crate::request::context::RequestContext;
use crate::request::finished::{FinishedRequest, Outcome};
use crate::trace_context::hex;

/// The most bytes of a path and of a user agent, as in access lines.
const MAX_PATH: usize = 2048;
const MAX_USER_AGENT: usize = 512;
/// The most bytes of a method that is not of the standards.
pub(super) const MAX_METHOD: usize = 64;
/// The most bytes of a route.
pub(super) const MAX_ROUTE: usize = 1024;

const SERVER: u64 = 2;
/// The flags say whether the parent is in another process, and it is.
pub(super) const KNOWN_PARENT: u32 = 0x100;
const REMOTE_PARENT: u32 = 0x200;
/// The status that stands for none: the client left before there was one.
const NOT_SENT: u16 = 499;

/// The method in the name of a span: one that is not of the standards is `HTTP` there.
pub(super) fn span_method(method: &str) -> &str {
    if method == "_OTHER" { "HTTP" } else { method }
}

/// What all spans of a method and route have in common: name, kind, and their attributes. A route that is no template is
/// part of the name alone.
pub(crate) fn encode_endpoint(method: &str, route: &str, is_template: bool) -> Box<[u8]> {
    let route = cut(route, MAX_ROUTE);
    let mut out = Vec::new();
    let name = span_method(method);
    bytes(&mut out, tag::NAME, format!("{name} {route}").as_bytes());
    varint(&mut out, tag::KIND, SERVER);
    attribute(&mut out, tag::ATTRIBUTES, "http.request.method", Value::Text(method));
    if is_template {
        attribute(&mut out, tag::ATTRIBUTES, "http.route", Value::Text(route));
    }
    out.into()
}

/// Appends the span of a request, without the key and length that make it a field. `endpoint` is what
/// [`encode_endpoint`] made.
pub(crate) fn encode_server(out: &mut Vec<u8>, endpoint: &[u8], request: &FinishedRequest<'_>) {
    let context = request.context;
    id(out, tag::TRACE_ID, request.trace_id().as_bytes());
    id(out, tag::SPAN_ID, request.span_id().as_bytes());
    let mut flags = KNOWN_PARENT | u32::from(context.flags());
    if let Some(parent) = request.parent_span_id() {
        id(out, tag::PARENT_SPAN_ID, parent.as_bytes());
        flags |= REMOTE_PARENT;
    }
    fixed32(out, tag::FLAGS, flags);
    trace_state(out, context);
    let ended = u64::try_from(request.ended.as_nanos()).unwrap_or(u64::MAX);
    fixed64(out, tag::START, ended.saturating_sub(request.nanoseconds));
    fixed64(out, tag::END, ended);
    out.extend_from_slice(endpoint);
    let mut add = |key: &str, value| attribute(out, tag::ATTRIBUTES, key, value);
    let head = context.head();
    add("url.path", Value::Text(cut(head.path(), MAX_PATH)));
    add("url.scheme", Value::Text(head.scheme()));
    if let Some(version) = head.protocol_version() {
        add("network.protocol.version", Value::Text(version));
    }
    if let Some(method) = head.other_method() {
        add("http.request.method_original", Value::Text(cut(method, MAX_METHOD)));
    }
    if request.outcome != Outcome::Aborted || request.status != NOT_SENT {
        add("http.response.status_code", Value::Integer(request.status.into()));
    }
    add("redpane.outcome", Value::Text(request.outcome.as_str()));
    if let Some(code) = request.grpc_code {
        call(out, code, cut(request.route(), MAX_ROUTE));
    }
    let mut add = |key: &str, value| attribute(out, tag::ATTRIBUTES, key, value);
    let mut text = [0; 48];
    if let Some(client) = head.client {
        add("client.address", Value::Text(address(&client.ip(), &mut text)));
    }
    if let Some(agent) = request.user_agent() {
        let agent = &agent[..agent.len().min(MAX_USER_AGENT)];
        add("user_agent.original", Value::Text(&String::from_utf8_lossy(agent)));
    }
    if let Some(fields) = &request.fields {
        fields.iter().for_each(|(name, value)| field(out, name, value));
        if fields.dropped() > 0 {
            varint(out, tag::DROPPED_ATTRIBUTES, fields.dropped().into());
        }
    }
    // A request of the client's fault is no error of a server's span.
    if request.level() == Level::ERROR {
        error(out, request);
    }
}

/// What the caller sent as `tracestate`, which holds for all spans of the request.
pub(super) fn trace_state(out: &mut Vec<u8>, context: &RequestContext) {
    if let Some(state) = context.tracestate() {
        // Visible characters and spaces: any other list is discarded on arrival.
        bytes(out, tag::TRACE_STATE, state.as_bytes());
    }
}

/// An id of hexadecimal digits as bytes.
pub(super) fn id(out: &mut Vec<u8>, tag: u32, digits: &[u8]) {
    encode::head(out, tag, digits.len() / 2);
    out.extend(digits.as_chunks::<2>().0.iter().map(|digits| hex::byte(digits).unwrap_or(0)));
}

/// An address as text, without an allocation.
fn address<'a>(address: &IpAddr, text: &'a mut [u8; 48]) -> &'a str {
    use std::io::Write as _;
    let mut rest = &mut text[..];
    // The longest address has 45 characters.
    let _ = write!(rest, "{address}");
    let length = 48 - rest.len();
    str::from_utf8(&text[..length]).unwrap_or("")
}
