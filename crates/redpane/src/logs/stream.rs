//! The line of a stream's end.

use tracing::Level;

use super::access::{AccessLine, MAX_PATH, MAX_ROUTE, write_fields};
use super::line::{ACCESS_TARGET, Line};
use super::log::Log;
use super::{address, json, number};
use crate::request::stream::FinishedStream;

/// What is to become of the line of a stream: the same as of its request's, where that ended so.
pub(crate) fn decide<'a>(log: &'a Log, stream: &FinishedStream<'_>) -> AccessLine<'a> {
    let level = stream.level();
    AccessLine::decide(log, stream.endpoint, level, |sampling| sampling.keeps_stream(stream, level))
}

/// Writes the line of a stream. It has the ids of its request's line.
// Apart from the lines of requests, which have the same pieces made a part of their one function.
#[cold]
pub(crate) fn write(log: &Log, stream: &FinishedStream<'_>, level: Level, sample_rate: Option<&[u8]>) {
    let mut line = Line::begin_request(stream.ended, log.app(), level, (stream.trace_id, stream.span_id));
    line.raw(
        format!("\"{ACCESS_TARGET}\",\"message\":\"stream\",\"method\":\"{}\"", stream.endpoint.method).as_bytes(),
    );
    line.field(",\"route\":", |out| json::text_up_to(out, &stream.endpoint.route, MAX_ROUTE));
    line.field(",\"path\":", |out| json::text_up_to(out, stream.path, MAX_PATH));
    line.short_field(",\"status\":", |out| number::integer(out, stream.status));
    line.raw(format!(",\"outcome\":\"{}\"", stream.outcome.as_str()).as_bytes());
    line.short_field(",\"duration_seconds\":", |out| number::seconds(out, stream.nanoseconds));
    line.short_field(",\"response_bytes\":", |out| json::optional(out, stream.response_bytes, number::integer));
    line.short_field(",\"client\":", |out| json::optional(out, stream.client, address::socket));
    line.field(",\"request_id\":", |out| json::text(out, stream.request_id));
    if let Some(code) = stream.grpc_code {
        line.raw(format!(",\"grpc_code\":\"{}\"", code.name()).as_bytes());
    }
    if let Some(field) = sample_rate {
        line.raw(field);
    }
    write_fields(&mut line, stream.fields.as_ref());
    log.append(line);
}
