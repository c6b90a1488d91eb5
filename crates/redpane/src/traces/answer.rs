//! What the receiver says to a batch.

#[cfg(test)]
mod tests;

use std::io::Read;
use std::time::{Duration, SystemTime};

use bytes::{Buf, Bytes};
use flate2::read::GzDecoder;
use http::{HeaderMap, StatusCode, header};
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use serde_json::Value;

/// The longest wait that a receiver can ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(600);
/// The most bytes of a receiver's text that are told.
const MAX_TEXT: usize = 256;

/// What became of one attempt.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The receiver has the batch, but for so many spans.
    Accepted { rejected: u64, why: String },
    /// To be sent again, not before this time has passed where the receiver says one.
    Again { after: Option<Duration>, why: String },
    /// The receiver does not want it.
    Refused { why: String },
    /// Nobody knows whether the receiver has it.
    Nonsense { why: String },
}

/// Reads an answer as OTLP over HTTP has it: only 429, 502, 503 and 504 are worth another attempt. `longest` is the most
/// bytes of a body that is compressed.
pub(crate) fn read(status: StatusCode, headers: &HeaderMap, body: Bytes, longest: u64) -> Answer {
    let body = decompressed(headers, body, longest);
    match status.as_u16() {
        200..300 => accepted(headers, body),
        429 | 502..=504 => Answer::Again { after: retry_after(headers), why: refusal(status, headers, body) },
        _ => Answer::Refused { why: refusal(status, headers, body) },
    }
}

/// Nobody asked for a compressed answer, but nobody forbade it either (RFC 9110, section 12.5.3). What is no gzip, or is
/// longer than it may be, stays as it is: it is no answer.
fn decompressed(headers: &HeaderMap, body: Bytes, longest: u64) -> Bytes {
    if headers.get(header::CONTENT_ENCODING).is_none_or(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"gzip")) {
        return body;
    }
    let mut text = Vec::new();
    match GzDecoder::new(&body[..]).take(longest + 1).read_to_end(&mut text) {
        Ok(length) if length as u64 <= longest => text.into(),
        _ => body,
    }
}

/// The status, and what the receiver says with it: the message of a `google.rpc.Status`, or a text.
fn refusal(status: StatusCode, headers: &HeaderMap, body: Bytes) -> String {
    let is_protobuf = content_type(headers).starts_with(b"application/x-protobuf");
    let message = match is_protobuf {
        true => message(body),
        false => str::from_utf8(&body).ok().map(|text| text.trim().to_owned()),
    };
    match message.filter(|message| !message.is_empty()) {
        Some(message) => format!("it answered {status}: {}", told(&message)),
        None => format!("it answered {status}"),
    }
}

/// Field 2 of a message, a text.
fn message(mut body: Bytes) -> Option<String> {
    while body.has_remaining() {
        match decode_key(&mut body).ok()? {
            (2, WireType::LengthDelimited) => return String::from_utf8(content(&mut body)?.into()).ok(),
            (tag, kind) => skip_field(kind, tag, &mut body, DecodeContext::default()).ok()?,
        }
    }
    None
}

fn content_type(headers: &HeaderMap) -> &[u8] {
    headers.get(header::CONTENT_TYPE).map_or(b"", |kind| kind.as_bytes())
}

fn accepted(headers: &HeaderMap, body: Bytes) -> Answer {
    let read = match content_type(headers).starts_with(b"application/json") {
        true => partial_success_json(&body),
        false => partial_success(body),
    };
    match read {
        Some((rejected, why)) => Answer::Accepted { rejected, why: told(&why) },
        None => Answer::Nonsense { why: "its answer is no ExportTraceServiceResponse".into() },
    }
}

/// `rejected_spans` and `error_message` of an `ExportTraceServiceResponse`.
fn partial_success(mut body: Bytes) -> Option<(u64, String)> {
    let mut found = (0, String::new());
    while body.has_remaining() {
        match decode_key(&mut body).ok()? {
            (1, WireType::LengthDelimited) => {
                let mut partial = content(&mut body)?;
                while partial.has_remaining() {
                    match decode_key(&mut partial).ok()? {
                        (1, WireType::Varint) => found.0 = decode_varint(&mut partial).ok()?,
                        (2, WireType::LengthDelimited) => {
                            found.1 = String::from_utf8_lossy(&content(&mut partial)?).into_owned();
                        }
                        (tag, kind) => skip_field(kind, tag, &mut partial, DecodeContext::default()).ok()?,
                    }
                }
            }
            (tag, kind) => skip_field(kind, tag, &mut body, DecodeContext::default()).ok()?,
        }
    }
    // It is signed there. A negative number rejects nothing.
    Some((u64::try_from(found.0 as i64).unwrap_or(0), found.1))
}

fn content(body: &mut Bytes) -> Option<Bytes> {
    let length = usize::try_from(decode_varint(body).ok()?).ok()?;
    (length <= body.len()).then(|| body.split_to(length))
}

/// The same of a receiver that speaks JSON whatever it is sent.
fn partial_success_json(body: &[u8]) -> Option<(u64, String)> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let partial = &answer.as_object()?.get("partialSuccess").unwrap_or(&Value::Null);
    let rejected = &partial["rejectedSpans"];
    // 64 bits are a text in protobuf's JSON.
    let rejected = rejected.as_u64().or_else(|| rejected.as_str()?.parse().ok()).unwrap_or(0);
    Some((rejected, partial["errorMessage"].as_str().unwrap_or_default().to_owned()))
}

/// `Retry-After`: seconds or a date (RFC 9110, section 10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match value.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => httpdate::parse_http_date(value).ok()?.duration_since(SystemTime::now()).unwrap_or_default(),
    };
    Some(wait.min(LONGEST_WAIT))
}

/// As much of a receiver's text as a line gets.
fn told(text: &str) -> String {
    super::encode::cut(text, MAX_TEXT).to_owned()
}
