//! What an application records of its request, as attributes and status of the span.

use super::encode::{self, Value, attribute, bytes, cut, varint};
use super::tag;
use crate::request::fields::FieldValue;
use crate::request::finished::{FinishedRequest, Outcome};
use crate::request::grpc::GrpcCode;

/// The status of a span that failed.
pub(super) const STATUS_ERROR: u64 = 2;

/// Attributes of a request's span. A recorded field of such a name gets a prefix.
const KEYS: [&str; 14] = [
    "http.request.method",
    "http.request.method_original",
    "network.protocol.version",
    "http.route",
    "http.response.status_code",
    "url.path",
    "url.scheme",
    "client.address",
    "user_agent.original",
    "error.type",
    "redpane.outcome",
    "rpc.system.name",
    "rpc.method",
    "rpc.status_code",
];

/// The attribute `error.type` and the status of a span.
pub(super) fn error(out: &mut Vec<u8>, request: &FinishedRequest<'_>) {
    let recorded = |wanted| {
        let mut fields = request.fields();
        fields.find_map(|(name, value)| match value {
            FieldValue::Text(text) if name == wanted => Some(&**text),
            _ => None,
        })
    };
    let mut status = itoa::Buffer::new();
    let kind = recorded("error_type").unwrap_or(match (request.outcome, request.grpc_code) {
        (Outcome::Panic | Outcome::BodyError | Outcome::Error, _) => request.outcome.as_str(),
        // Its HTTP status says nothing of it.
        (_, Some(code)) if request.status < 500 => code.status_code(),
        (Outcome::Complete | Outcome::Aborted | Outcome::Timeout, _) => status.format(request.status),
    });
    attribute(out, tag::ATTRIBUTES, "error.type", Value::Text(kind));
    let message = recorded("error").map(|text| cut(text, encode::MAX_TEXT));
    encode::head(out, tag::STATUS, 2 + message.map_or(0, |text| encode::length_of(text.len())));
    if let Some(text) = message {
        bytes(out, 2, text.as_bytes());
    }
    varint(out, 3, STATUS_ERROR);
}

/// What OpenTelemetry's conventions for RPC say of a call, which are stable since their version 1.45. `route` is its method,
/// where that is known.
pub(super) fn call(out: &mut Vec<u8>, code: GrpcCode, route: &str) {
    attribute(out, tag::ATTRIBUTES, "rpc.system.name", Value::Text("grpc"));
    if let Some(method) = route.strip_prefix('/') {
        attribute(out, tag::ATTRIBUTES, "rpc.method", Value::Text(method));
    }
    attribute(out, tag::ATTRIBUTES, "rpc.status_code", Value::Text(code.status_code()));
}

/// A recorded field as an attribute.
pub(super) fn field(out: &mut Vec<u8>, name: &str, value: &FieldValue) {
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
