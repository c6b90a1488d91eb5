//! The access line: a finished request as one line.

use tracing::Level;

use super::line::{ACCESS_TARGET, Line};
use super::log::Log;
use super::sampling::{AccessSampling, Kept};
use super::value::write_recorded;
use super::{address, json, number};
use crate::request::endpoint::EndpointInfo;
use crate::request::fields::RecordedFields;
use crate::request::finished::{FinishedRequest, Outcome};

/// The most bytes of a path or user agent that a line keeps.
pub(super) const MAX_PATH: usize = 2048;
const MAX_USER_AGENT: usize = 512;
/// The most bytes of a route that a line keeps.
pub(super) const MAX_ROUTE: usize = 1024;

/// The fields of an access line. A recorded field of such a name gets a prefix.
const KEYS: [&str; 16] = [
    "method",
    "route",
    "path",
    "status",
    "outcome",
    "duration_seconds",
    "request_bytes",
    "response_bytes",
    "client",
    "user_agent",
    "request_id",
    "parent_span_id",
    "caller_trace_id",
    "fields_dropped",
    "sample_rate",
    "grpc_code",
];

/// What all access lines of an endpoint have in common: target, message, `method` and `route`, in JSON.
pub(crate) fn encode_endpoint(method: &str, route: &str) -> Box<[u8]> {
    let opening = format!("\"{ACCESS_TARGET}\",\"message\":\"request\",\"method\":\"{method}\",\"route\":");
    let mut encoded = opening.into_bytes();
    json::text_up_to(&mut encoded, route, MAX_ROUTE);
    encoded.into()
}

/// What becomes of the line of a request or a stream.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum AccessLine<'a> {
    /// It is written with this level, and with this field where it stands for others too.
    Wanted(Level, Option<&'a [u8]>),
    /// The log filter or its endpoint are against it.
    Unwanted,
    /// Another one stands for it.
    SampledOut,
}

impl<'a> AccessLine<'a> {
    /// What becomes of a line with this level, of a request or a stream of `endpoint`. `keeps` asks the sampling, where there is one.
    #[inline]
    pub(super) fn decide(
        log: &'a Log,
        endpoint: &EndpointInfo,
        level: Level,
        keeps: impl FnOnce(&'a AccessSampling) -> Kept<'a>,
    ) -> Self {
        let only_failures = endpoint.log_failures_only && level == Level::INFO;
        if only_failures || !log.would_log_access(level) {
            return Self::Unwanted;
        }
        match log.sampling().map_or(Kept::Always, keeps) {
            Kept::Always => Self::Wanted(level, None),
            Kept::For(field) => Self::Wanted(level, Some(field)),
            Kept::Not => Self::SampledOut,
        }
    }
}

/// What is to become of the line of a request.
#[inline]
pub(crate) fn decide<'a>(log: &'a Log, request: &FinishedRequest<'_>) -> AccessLine<'a> {
    let level = request.level();
    AccessLine::decide(log, request.endpoint, level, |sampling| sampling.keeps(request, level))
}

/// Writes the line of a request as it was [decided](decide).
pub(crate) fn write(log: &Log, request: &FinishedRequest<'_>, level: Level, sample_rate: Option<&[u8]>) {
    let context = request.context;
    let head = context.head();
    let mut line = Line::begin_request(request.ended, log.app(), level, (request.trace_id(), request.span_id()));
    line.raw(&request.endpoint.encoded);
    line.field(",\"path\":", |out| json::text_up_to(out, head.path(), MAX_PATH));
    line.raw(&status(request.status));
    line.short_field(outcome_and_duration(request.outcome), |out| number::seconds(out, request.nanoseconds));
    line.short_field(",\"request_bytes\":", |out| json::optional(out, head.size.bytes(), number::integer));
    line.short_field(",\"response_bytes\":", |out| json::optional(out, request.response_bytes, number::integer));
    line.short_field(",\"client\":", |out| json::optional(out, head.client, address::socket));
    line.field(",\"user_agent\":", |out| {
        json::optional(out, head.user_agent.as_ref(), |out, agent| {
            json::bytes_up_to(out, agent.as_bytes(), MAX_USER_AGENT)
        });
    });
    match context.fresh_request_id() {
        Some(digits) => line.raw(&fresh_request_id(digits)),
        None => line.field(",\"request_id\":", |out| json::text(out, context.request_id())),
    }
    if let Some(parent) = request.parent_span_id() {
        line.raw(b",\"parent_span_id\":\"");
        line.raw(parent.as_bytes());
        line.raw(b"\"");
    }
    if let Some(caller) = context.caller_trace_id() {
        line.raw(b",\"caller_trace_id\":\"");
        line.raw(caller.as_bytes());
        line.raw(b"\"");
    }
    if let Some(code) = request.grpc_code {
        line.short_field(",\"grpc_code\":\"", |out| out.extend_from_slice(code.name().as_bytes()));
        line.raw(b"\"");
    }
    if let Some(field) = sample_rate {
        line.raw(field);
    }
    write_fields(&mut line, request.fields.as_ref());
    log.append(line);
}

/// Writes what was recorded, behind all other fields.
pub(super) fn write_fields(line: &mut Line, fields: Option<&RecordedFields>) {
    if let Some(fields) = fields {
        for (name, value) in fields.iter() {
            line.recorded_field(name, KEYS.contains(&name), |out| write_recorded(value, out));
        }
        if fields.dropped() > 0 {
            line.field(",\"fields_dropped\":", |out| number::integer(out, fields.dropped()));
        }
    }
}

/// The field of a request id that was made here, in one piece: its digits need no escape.
fn fresh_request_id(digits: &[u8; 16]) -> [u8; 32] {
    let mut field = *b",\"request_id\":\"0000000000000000\"";
    field[15..31].copy_from_slice(digits);
    field
}

/// The field of a status, which has three digits.
fn status(status: u16) -> [u8; 13] {
    let mut field = *b",\"status\":000";
    field[10..].copy_from_slice(&number::decimals::<3>(u64::from(status)));
    field
}

/// The field of an outcome, and the key of the duration behind it.
fn outcome_and_duration(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Complete => ",\"outcome\":\"complete\",\"duration_seconds\":",
        Outcome::Aborted => ",\"outcome\":\"aborted\",\"duration_seconds\":",
        Outcome::BodyError => ",\"outcome\":\"body_error\",\"duration_seconds\":",
        Outcome::Panic => ",\"outcome\":\"panic\",\"duration_seconds\":",
        Outcome::Timeout => ",\"outcome\":\"timeout\",\"duration_seconds\":",
        Outcome::Error => ",\"outcome\":\"error\",\"duration_seconds\":",
    }
}
