//! Request bodies that must be JSON: 415, 413 and 400 with the reason.

use axum::body::{Body, Bytes};
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;
use redpane::problem::Problem;
use serde::de::IgnoredAny;

use super::busy::Busy;

/// The whole body, if it is declared as JSON and at most `limit` bytes long.
///
/// # Errors
/// 415 for another content type, 413 beyond `limit` (at once if the length is declared), 400 for a body that breaks off.
pub(crate) async fn read(headers: &HeaderMap, mut body: Body, limit: usize) -> Result<Bytes, Problem> {
    if !is_json(headers) {
        let detail = "the Content-Type must be application/json or end in +json";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE).detail(detail));
    }
    let declared = http_body::Body::size_hint(&body).lower();
    if usize::try_from(declared).map_or(true, |declared| declared > limit) {
        return Err(too_large(limit));
    }
    // It grows with what arrives: memory for what is only declared would be a gift to whoever declares much.
    let mut collected = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| broken_off(&error))?;
        if let Ok(data) = frame.into_data() {
            if collected.len() + data.len() > limit {
                return Err(too_large(limit));
            }
            reserve(&mut collected, data.len(), declared);
            collected.extend_from_slice(&data);
        }
    }
    Ok(collected.into())
}

/// Doubles as a vector does, but not beyond what is declared: that is where it ends.
fn reserve(collected: &mut Vec<u8>, more: usize, declared: u64) {
    let needed = collected.len() + more;
    let declared = usize::try_from(declared).unwrap_or(usize::MAX);
    if needed > collected.capacity() && needed <= declared {
        let doubled = collected.capacity().saturating_mul(2).min(declared);
        collected.reserve_exact(needed.max(doubled) - collected.len());
    }
}

fn broken_off(error: &axum::Error) -> Problem {
    match Busy::caused(error) {
        true => Busy.problem(),
        false => Problem::new(StatusCode::BAD_REQUEST).detail(format!("the body broke off: {error}")),
    }
}

fn too_large(limit: usize) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE).detail(format!("the body is larger than {limit} bytes"))
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let subtype = essence.split_once('/').map_or("", |(_, subtype)| subtype);
    essence == "application/json" || subtype.len() > "+json".len() && subtype.ends_with("+json")
}

/// Whether `bytes` follow the grammar of JSON.
///
/// # Errors
/// 400 with line and column of the first mistake.
pub(crate) fn check_syntax(bytes: &[u8]) -> Result<(), Problem> {
    let bad = |detail: String| Err(Problem::new(StatusCode::BAD_REQUEST).detail(detail));
    if bytes.is_empty() {
        return bad("the body is empty; it must be JSON".to_owned());
    }
    // Checked first: serde_json names no offset for it.
    if let Err(error) = std::str::from_utf8(bytes) {
        return bad(format!("the body is not UTF-8: the byte at offset {} is wrong", error.valid_up_to()));
    }
    match serde_json::from_slice::<IgnoredAny>(bytes) {
        Ok(_) => Ok(()),
        Err(error) => bad(format!("the body is not JSON: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn json_is_known_by_its_media_type() {
        let is = |value: &'static str| {
            is_json(&HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(value))]))
        };
        for right in ["application/json", "Application/JSON; charset=utf-8", "application/problem+json", "text/x+json"]
        {
            assert!(is(right), "{right}");
        }
        for wrong in
            ["", "text/plain", "application/jsonx", "json", "application/+json", "text/plain; a=application/json"]
        {
            assert!(!is(wrong), "{wrong}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }

    #[test]
    fn a_mistake_is_named_with_its_position() {
        let message = |bytes: &[u8]| format!("{:?}", check_syntax(bytes).expect_err("bad"));
        assert!(message(b"{\"a\": 1,\n x}").contains("line 2 column 2"));
        assert!(message(b"").contains("empty"));
        assert!(message(b"\"\xff\"").contains("offset 1"));
        assert!(message(b"1 2").contains("trailing characters"));
    }

    #[tokio::test]
    async fn the_limit_is_exact() {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        assert_eq!(read(&headers, Body::from("[1,2]"), 5).await.expect("fits"), "[1,2]");
        assert!(read(&headers, Body::from("[1,2]"), 4).await.is_err());
    }
}
