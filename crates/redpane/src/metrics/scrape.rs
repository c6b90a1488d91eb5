//! The answer to `GET /metrics`.

use std::io::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use super::negotiation;
use super::registry::Registry;
use crate::request::problem;
use crate::request::tasks::spawn_blocking;

/// Answers one scrape. Rendering and compressing happen on a blocking thread, and one at a time: a second scraper waits
/// for its turn instead of doubling the memory.
pub(crate) async fn answer(registry: Arc<Registry>, headers: &HeaderMap) -> Response<Bytes> {
    let format = negotiation::format(headers);
    let gzip = negotiation::accepts_gzip(headers);
    let turn = Arc::clone(&registry.turn).lock_owned().await;
    let rendering = spawn_blocking(move || {
        // The turn moves in here: a scraper that gives up does not let the next one in before this one is done.
        let mut size = turn;
        let text = registry.render(format, *size);
        *size = text.len() + text.len() / 8;
        if gzip { compress(text.as_bytes()) } else { text.into_bytes() }
    });
    let mut response = Response::new(Bytes::new());
    let headers = response.headers_mut();
    let Ok(body) = rendering.await else {
        headers.insert(header::CONTENT_TYPE, problem::CONTENT_TYPE);
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        let detail = "rendering the metrics failed; the log line of the panic says why";
        *response.body_mut() = problem::json(StatusCode::INTERNAL_SERVER_ERROR, Some(detail)).into();
        return response;
    };
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
    headers.insert(header::VARY, HeaderValue::from_static("accept, accept-encoding"));
    if gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    *response.body_mut() = body.into();
    response
}

fn compress(text: &[u8]) -> Vec<u8> {
    // The fastest level: this text is so repetitive that it shrinks to a twentieth anyway.
    let mut encoder = GzEncoder::new(Vec::with_capacity(text.len() / 16), Compression::fast());
    let written = encoder.write_all(text).and_then(|()| encoder.finish());
    written.expect("writing to memory does not fail")
}
