//! Answers in gzip, where the client takes it.

use std::io::Write;

use axum::body::{Body, to_bytes};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderValue, StatusCode, header};

pub(super) use crate::request::accept::accepts_gzip;

/// The value of `Content-Encoding`.
pub(super) const GZIP: HeaderValue = HeaderValue::from_static("gzip");
/// Answers of so many bytes are compressed, and from so many on where that holds nobody up.
const COMPRESSED_FROM: u64 = 4 * 1024;
const MANY: usize = 64 * 1024;

/// Compresses large JSON where the client takes it.
pub(super) async fn compress(mut response: Response, accepts: bool) -> Response {
    let is_json = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    if !is_json {
        return response;
    }
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    // What has no length is a stream, or the answer to HEAD.
    let length = http_body::Body::size_hint(response.body()).exact();
    if !accepts || length.is_none_or(|length| length < COMPRESSED_FROM) {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let plain = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let compress = |plain: Bytes| (compressed(&plain, Compression::fast()), plain);
    let done = match plain.len() < MANY {
        true => Ok(compress(plain)),
        false => tokio::task::spawn_blocking(move || compress(plain)).await,
    };
    let body = match done {
        Ok((Some(compressed), _)) => {
            head.headers.insert(header::CONTENT_ENCODING, GZIP);
            head.headers.remove(header::CONTENT_LENGTH);
            compressed
        }
        Ok((None, plain)) => plain,
        Err(_) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    };
    Response::from_parts(head, Body::from(body))
}

/// A text in gzip.
pub(super) fn compressed(plain: &[u8], level: Compression) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 8), level);
    encoder.write_all(plain).and_then(|()| encoder.finish()).ok().map(Bytes::from)
}
