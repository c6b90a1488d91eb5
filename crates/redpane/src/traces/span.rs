//! What a span is made of, encoded as a field of OTLP's `ScopeSpans`.
//!
//! Attributes and status follow OpenTelemetry's stable conventions for HTTP. The query of a request is left out, as it is in
//! access lines: it often holds what nobody should keep.

use std::net::IpAddr;
use std::time::Duration;

use tracing::Level;

use super::encode::{self, Value, attribute, bytes, cut, fixed32, fixed64, varint};
use crate::request::context::RequestContext;
use crate::request::fields::FieldValue;
use crate::request::finished::{FinishedRequest, Outcome};
use crate::trace_context::hex;
use crate::trace_context::ids::SpanId;

/// The most bytes of a path and of a user agent, as in access lines.
const MAX_PATH: usize = 2048;
const MAX_USER_AGENT: usize = 512;
/// The most bytes of a route.
const MAX_ROUTE: usize = 1024;

/// Tags of a `Span` of `opentelemetry.proto.trace.v1`.
pub(super) mod tag {
    pub(in crate::traces) const TRACE_ID: u32 = 1;
    pub(in crate::traces) const SPAN_ID: u32 = 2;
    pub(in crate::traces) const TRACE_STATE: u32 = 3;
    pub(in crate::traces) const PARENT_SPAN_ID: u32 = 4;
    pub(in crate::traces) const NAME: u32 = 5;
    pub(in crate::traces) const KIND: u32 = 6;
    pub(in crate::traces) const START: u32 = 7;
    pub(in crate::traces) const END: u32 = 8;
    pub(in crate::traces) const ATTRIBUTES: u32 = 9;
    pub(in crate::traces) const DROPPED_ATTRIBUTES: u32 = 10;
    pub(in crate::traces) const STATUS: u32 = 15;
    pub(in crate::traces) const FLAGS: u32 = 16;
}

/// The tag of attributes in a span.
pub(super) const ATTRIBUTES: u32 = tag::ATTRIBUTES;

const INTERNAL: u64 = 1;
const SERVER: u64 = 2;
pub(super) const STATUS_ERROR: u64 = 2;
/// The flags say whether the parent is in another process, and it is.
pub(super) const KNOWN_PARENT: u32 = 0x100;
const REMOTE_PARENT: u32 = 0x200;
/// The status that stands for none: the client left before there was one.
const NOT_SENT: u16 = 499;

/// Attributes of a request's span. A recorded field of such a name gets a prefix.
const KEYS: [&str; 9] = [
    "http.request.method",
    "http.route",
    "http.response.status_code",
    "url.path",
    "url.scheme",
    "client.address",
    "user_agent.original",
    "error.type",
    "redpane.outcome",
];

/// What all spans of a method and route have in common: name, kind, and their attributes. A route that is no template is
/// part of the name alone.
pub(crate) fn encode_endpoint(method: &str, route: &str, is_template: bool) -> Box<[u8]> {
    let route = cut(route, MAX_ROUTE);
    let mut out = Vec::new();
    bytes(&mut out, tag::NAME, format!("{method} {route}").as_bytes());
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
    if let Some(state) = context.tracestate() {
        bytes(out, tag::TRACE_STATE, String::from_utf8_lossy(state.as_bytes()).as_bytes());
    }
    let ended = u64::try_from(request.ended.as_nanos()).unwrap_or(u64::MAX);
    fixed64(out, tag::START, ended.saturating_sub(request.nanoseconds));
    fixed64(out, tag::END, ended);
    out.extend_from_slice(endpoint);
    let mut add = |key: &str, value| attribute(out, tag::ATTRIBUTES, key, value);
    let head = context.head();
    add("url.path", Value::Text(cut(head.path(), MAX_PATH)));
    add("url.scheme", Value::Text(head.scheme()));
    if request.outcome != Outcome::Aborted || request.status != NOT_SENT {
        add("http.response.status_code", Value::Integer(request.status.into()));
    }
    add("redpane.outcome", Value::Text(request.outcome.as_str()));
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

/// A span inside of a request.
pub(super) struct Child<'a> {
    pub(super) span_id: &'a SpanId,
    pub(super) parent: &'a SpanId,
    pub(super) name: &'a str,
    /// Since 1970.
    pub(super) started: Duration,
    pub(super) nanoseconds: u64,
    /// Encoded as fields of a span.
    pub(super) attributes: &'a [u8],
    pub(super) attributes_dropped: u64,
}

/// Appends an INTERNAL span of a request, without the key and length that make it a field.
pub(super) fn encode_internal(out: &mut Vec<u8>, context: &RequestContext, child: &Child<'_>) {
    id(out, tag::TRACE_ID, context.trace_id().as_bytes());
    id(out, tag::SPAN_ID, child.span_id.as_bytes());
    id(out, tag::PARENT_SPAN_ID, child.parent.as_bytes());
    fixed32(out, tag::FLAGS, KNOWN_PARENT | u32::from(context.flags()));
    bytes(out, tag::NAME, cut(child.name, MAX_ROUTE).as_bytes());
    varint(out, tag::KIND, INTERNAL);
    let started = u64::try_from(child.started.as_nanos()).unwrap_or(u64::MAX);
    fixed64(out, tag::START, started);
    fixed64(out, tag::END, started.saturating_add(child.nanoseconds));
    out.extend_from_slice(child.attributes);
    if child.attributes_dropped > 0 {
        varint(out, tag::DROPPED_ATTRIBUTES, child.attributes_dropped);
    }
}

/// The attribute `error.type` and the status of a span.
fn error(out: &mut Vec<u8>, request: &FinishedRequest<'_>) {
    let recorded = |wanted| {
        let mut fields = request.fields();
        fields.find_map(|(name, value)| match value {
            FieldValue::Text(text) if name == wanted => Some(&**text),
            _ => None,
        })
    };
    let mut status = itoa::Buffer::new();
    let kind = recorded("error_type").unwrap_or(match request.outcome {
        Outcome::Panic | Outcome::BodyError | Outcome::Error => request.outcome.as_str(),
        Outcome::Complete | Outcome::Aborted | Outcome::Timeout => status.format(request.status),
    });
    attribute(out, tag::ATTRIBUTES, "error.type", Value::Text(kind));
    let message = recorded("error").map(|text| cut(text, encode::MAX_TEXT));
    encode::head(out, tag::STATUS, 2 + message.map_or(0, |text| encode::length_of(text.len())));
    if let Some(text) = message {
        bytes(out, 2, text.as_bytes());
    }
    varint(out, 3, STATUS_ERROR);
}

/// A recorded field as an attribute.
fn field(out: &mut Vec<u8>, name: &str, value: &FieldValue) {
    let prefixed = (KEYS.contains(&name) || name.starts_with("field.")).then(|| format!("field.{name}"));
    let large;
    let value = match value {
        FieldValue::Text(text) => Value::Text(text),
        FieldValue::Signed(value) => Value::Integer(*value),
        FieldValue::Unsigned(value) => match i64::try_from(*value) {
            Ok(value) => Value::Integer(value),
            Err(_) => {
                large = value.to_string();
                Value::Text(&large)
            }
        },
        FieldValue::Float(value) => Value::Float(*value),
        FieldValue::Bool(value) => Value::Bool(*value),
    };
    attribute(out, tag::ATTRIBUTES, prefixed.as_deref().unwrap_or(name), value);
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
