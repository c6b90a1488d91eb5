//! The answer to `GET /metrics`.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use super::negotiation;
use super::registry::Registry;
use super::turn::{Rendering, Turn, Wanted};
use crate::request::accept::accepts_gzip;
use crate::request::problem;
use crate::request::tasks::spawn_blocking;

/// Answers one scrape. Rendering and compressing happen on a blocking thread, and one at a time: a second scraper waits
/// for its turn instead of doubling the memory. All who wait meanwhile then share one rendering.
pub(crate) async fn answer(registry: Arc<Registry>, headers: &HeaderMap) -> Response<Bytes> {
    let wanted = Wanted { format: negotiation::format(headers), gzip: accepts_gzip(headers) };
    let arrived = Instant::now();
    let mut turn = Arc::clone(&registry.turn).lock_owned().await;
    let body = match turn.rendered_since(arrived, wanted) {
        Some(body) => {
            leave(&registry, &mut turn);
            Ok(body)
        }
        // The turn moves in here: a scraper that gives up does not let the next one in before this one is done.
        None => {
            let registry = Arc::clone(&registry);
            spawn_blocking(move || render(&registry, &mut turn, wanted)).await
        }
    };
    let mut response = Response::new(Bytes::new());
    let headers = response.headers_mut();
    let Ok(body) = body else {
        headers.insert(header::CONTENT_TYPE, problem::CONTENT_TYPE);
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        let detail = "rendering the metrics failed; the log line of the panic says why";
        *response.body_mut() = problem::json(StatusCode::INTERNAL_SERVER_ERROR, Some(detail)).into();
        return response;
    };
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(wanted.format.content_type()));
    headers.insert(header::VARY, HeaderValue::from_static("accept, accept-encoding"));
    if wanted.gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    *response.body_mut() = body;
    response
}

/// Renders for whoever has the turn, and for those who wait for it.
fn render(registry: &Registry, turn: &mut Turn, wanted: Wanted) -> Bytes {
    let begun = Instant::now();
    let text = registry.render(wanted.format, turn.capacity);
    turn.capacity = text.len() + text.len() / 8;
    let body = Bytes::from(if wanted.gzip { compress(text.as_bytes()) } else { text.into_bytes() });
    turn.share(Rendering { begun, wanted, body: body.clone() });
    leave(registry, turn);
    body
}

/// Keeps nothing in memory for nobody.
fn leave(registry: &Registry, turn: &mut Turn) {
    // One handle is the registry's, one is of whoever has the turn, every other one waits for it.
    if Arc::strong_count(&registry.turn) <= 2 {
        turn.forget();
    }
}

fn compress(text: &[u8]) -> Vec<u8> {
    // The fastest level: this text is so repetitive that it shrinks to a twentieth anyway.
    let mut encoder = GzEncoder::new(Vec::with_capacity(text.len() / 16), Compression::fast());
    let written = encoder.write_all(text).and_then(|()| encoder.finish());
    written.expect("writing to memory does not fail")
}
