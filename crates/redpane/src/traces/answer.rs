//! What the receiver says to a batch.

use std::time::{Duration, SystemTime};

use bytes::{Buf, Bytes};
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

/// Reads an answer as OTLP over HTTP has it: only 429, 502, 503 and 504 are worth another attempt.
pub(crate) fn read(status: StatusCode, headers: &HeaderMap, body: Bytes) -> Answer {
    match status.as_u16() {
        200..300 => accepted(headers, body),
        429 | 502..=504 => Answer::Again { after: retry_after(headers), why: format!("it answered {status}") },
        _ => Answer::Refused { why: format!("it answered {status}") },
    }
}

fn accepted(headers: &HeaderMap, body: Bytes) -> Answer {
    let kind = headers.get(header::CONTENT_TYPE).map_or(&b""[..], |kind| kind.as_bytes());
    let read = match kind.starts_with(b"application/json") {
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

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse};
    use prost::Message;

    use super::*;

    fn answer(status: u16, name: header::HeaderName, value: &str, body: &[u8]) -> Answer {
        let headers = HeaderMap::from_iter([(name, value.parse().unwrap())]);
        read(StatusCode::from_u16(status).unwrap(), &headers, Bytes::copy_from_slice(body))
    }

    fn ok(kind: &str, body: &[u8]) -> Option<(u64, String)> {
        match answer(200, header::CONTENT_TYPE, kind, body) {
            Answer::Accepted { rejected, why } => Some((rejected, why)),
            Answer::Nonsense { .. } => None,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn partial_success_is_read() {
        for (rejected_spans, expected) in [(0, 0), (7, 7), (-1, 0), (i64::MAX, i64::MAX as u64)] {
            let partial = ExportTracePartialSuccess { rejected_spans, error_message: "too old".into() };
            let body = ExportTraceServiceResponse { partial_success: Some(partial) }.encode_to_vec();
            assert_eq!(ok("application/x-protobuf", &body), Some((expected, "too old".into())));
        }
        assert_eq!(ok("application/x-protobuf", b""), Some((0, String::new())));
        assert_eq!(ok("application/json", br#"{"partialSuccess":{"rejectedSpans":"3"}}"#), Some((3, String::new())));
        assert_eq!(ok("application/json", b"{}"), Some((0, String::new())));
    }

    #[test]
    fn nonsense_is_not_taken_for_success() {
        for body in [&b"<html>welcome</html>"[..], b"\x0a\xff\xff\xff\xff\x0f", b"\x0a\x05\x08", b"\xff"] {
            assert_eq!(ok("text/html", body), None, "{body:?}");
        }
        assert_eq!(ok("application/json", b"[1]"), None);
    }

    #[test]
    fn only_some_statuses_are_worth_another_attempt() {
        for status in [400, 401, 404, 413, 500, 501, 301] {
            assert!(matches!(answer(status, header::SERVER, "x", b""), Answer::Refused { .. }), "{status}");
        }
        for status in [429, 502, 503, 504] {
            assert!(matches!(answer(status, header::SERVER, "x", b""), Answer::Again { after: None, .. }), "{status}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let after = |value: &str| match answer(503, header::RETRY_AFTER, value, b"") {
            Answer::Again { after, .. } => after,
            other => panic!("{other:?}"),
        };
        assert_eq!(after("7"), Some(Duration::from_secs(7)));
        assert_eq!(after("99999999999"), Some(LONGEST_WAIT));
        assert_eq!(after("Thu, 01 Jan 1970 00:00:00 GMT"), Some(Duration::ZERO));
        assert!(after(&httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(60))).unwrap().as_secs() > 50);
        assert_eq!(after("soon"), None);
    }
}
