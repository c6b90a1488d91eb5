//! Tests of answers.

use opentelemetry_proto::tonic::collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse};
use prost::Message;

use super::*;

fn answer(status: u16, name: header::HeaderName, value: &str, body: &[u8]) -> Answer {
    let headers = HeaderMap::from_iter([(name, value.parse().unwrap())]);
    read(StatusCode::from_u16(status).unwrap(), &headers, Bytes::copy_from_slice(body), 1000)
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
fn what_a_receiver_says_with_a_refusal_is_told() {
    let why = |kind: &str, body: &[u8]| match answer(401, header::CONTENT_TYPE, kind, body) {
        Answer::Refused { why } => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(why("text/plain", b"no org id\n"), "it answered 401 Unauthorized: no org id");
    // Code 16 and a message.
    assert_eq!(why("application/x-protobuf", b"\x08\x10\x12\x02no"), "it answered 401 Unauthorized: no");
    for (kind, body) in [("application/x-protobuf", &b"\xff"[..]), ("text/plain", b"\xff"), ("text/plain", b"")] {
        assert_eq!(why(kind, body), "it answered 401 Unauthorized");
    }
    assert!(why("text/html", &[b'x'; 10_000]).len() < 2 * MAX_TEXT);
}

#[test]
fn an_answer_may_be_compressed_within_its_bound() {
    let gzip = |content: &[u8]| {
        let mut body = Vec::new();
        flate2::read::GzEncoder::new(content, flate2::Compression::best()).read_to_end(&mut body).unwrap();
        answer(200, header::CONTENT_ENCODING, "gzip", &body)
    };
    assert_eq!(gzip(b""), Answer::Accepted { rejected: 0, why: String::new() });
    let partial = ExportTracePartialSuccess { rejected_spans: 7, error_message: "old".into() };
    let body = ExportTraceServiceResponse { partial_success: Some(partial) }.encode_to_vec();
    assert_eq!(gzip(&body), Answer::Accepted { rejected: 7, why: "old".into() });
    assert!(matches!(gzip(&[0; 100_000]), Answer::Nonsense { .. }));
    assert!(matches!(answer(200, header::CONTENT_ENCODING, "gzip", b"no"), Answer::Nonsense { .. }));
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
