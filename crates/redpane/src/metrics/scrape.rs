//! `GET /metrics`.

use std::io::Write as _;
use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use super::{ExpositionFormat, exposition, negotiation};
use crate::problem::Problem;
use crate::tasks::spawn_blocking;
use crate::telemetry::Shared;

/// Answers one scrape. Rendering and compressing happen on a blocking thread, and one at a time: a second scraper waits
/// for its turn instead of doubling the memory.
pub(crate) async fn answer(telemetry: Arc<Shared>, headers: HeaderMap) -> Response {
    let format = negotiation::format(&headers);
    let gzip = negotiation::accepts_gzip(&headers);
    let turn = Arc::clone(&telemetry.scrape_turn).lock_owned().await;
    let rendering = spawn_blocking(move || {
        // The turn moves in here: a scraper that gives up does not let the next one in before this one is done.
        let mut size = turn;
        telemetry.run_scrape_hooks();
        let text = exposition::render(&telemetry, format, *size);
        *size = text.len() + text.len() / 8;
        if gzip { compress(text.as_bytes()) } else { text.into_bytes() }
    });
    let Ok(body) = rendering.await else {
        let failed = Problem::new(StatusCode::INTERNAL_SERVER_ERROR);
        return failed.detail("rendering the metrics failed; the log line of the panic says why").into_response();
    };
    let content_type = match format {
        ExpositionFormat::Text => "text/plain; version=0.0.4; charset=utf-8",
        ExpositionFormat::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
    };
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::VARY, HeaderValue::from_static("accept, accept-encoding"));
    if gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

/// Answers a method that is neither GET nor HEAD; axum adds the `Allow` header.
pub(crate) async fn wrong_method(method: Method) -> Response {
    let method: String = method.as_str().chars().take(40).collect();
    let detail = format!("{method} is not possible here: metrics are read with GET or HEAD");
    Problem::new(StatusCode::METHOD_NOT_ALLOWED).detail(detail).into_response()
}

fn compress(text: &[u8]) -> Vec<u8> {
    // The fastest level: this text is so repetitive that it shrinks to a twentieth anyway.
    let mut encoder = GzEncoder::new(Vec::with_capacity(text.len() / 16), Compression::fast());
    let written = encoder.write_all(text).and_then(|()| encoder.finish());
    written.expect("writing to memory does not fail")
}
