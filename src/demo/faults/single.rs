//! Routes that are one fault each.

use std::ops::RangeInclusive;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use redpane::problem::Problem;
use serde_json::json;

use super::lines::Lines;
use super::settings::MAX_DELAY_MS;

/// Most chunks that `/faults/chunked/{n}` sends.
const CHUNK_LIMIT: u32 = 10_000;
/// Lines that `/faults/cut` sends before it breaks off.
const LINES_BEFORE_CUT: u32 = 5;

/// `GET /faults/status/{code}`: 200 to 599. 1xx are not final answers; above 599 nothing is defined.
pub(super) async fn status(code: Result<Path<String>, PathRejection>) -> Result<Response, Problem> {
    let code = number(code, 200..=599)?;
    let status = u16::try_from(code).ok().and_then(|code| StatusCode::from_u16(code).ok());
    let status = status.expect("200 to 599 are valid status codes");
    Ok(if status.is_client_error() || status.is_server_error() {
        Problem::new(status).detail("injected by /faults/status").into_response()
    } else if matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED) {
        status.into_response()
    } else {
        (status, Json(json!({"status": code}))).into_response()
    })
}

/// `GET /faults/delay/{ms}`: 0 to 60,000 milliseconds.
pub(super) async fn delay(ms: Result<Path<String>, PathRejection>) -> Result<Response, Problem> {
    let delay_ms = number(ms, 0..=MAX_DELAY_MS)?;
    tokio::time::sleep(Duration::from_millis(delay_ms.into())).await;
    Ok(Json(json!({"delay_ms": delay_ms})).into_response())
}

/// `GET /faults/chunked/{n}`: 1 to 10,000 chunks.
pub(super) async fn chunked(n: Result<Path<String>, PathRejection>) -> Result<Response, Problem> {
    let count = number(n, 1..=CHUNK_LIMIT)?;
    Ok(in_pieces(Lines::whole(count)))
}

/// `GET /faults/panic`.
pub(super) async fn panic() -> Response {
    panic!("injected by /faults/panic")
}

/// `GET /faults/cut`: a body that breaks off.
pub(super) async fn cut() -> Response {
    in_pieces(Lines::cut_after(LINES_BEFORE_CUT))
}

fn in_pieces(lines: Lines) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], Body::new(lines)).into_response()
}

/// A number of the path. 400 with the bounds where it is none or outside of them.
fn number(path: Result<Path<String>, PathRejection>, bounds: RangeInclusive<u32>) -> Result<u32, Problem> {
    let text = path.map(|Path(text)| text).unwrap_or_default();
    text.parse().ok().filter(|value| bounds.contains(value)).ok_or_else(|| {
        let detail = format!("the path must end in a whole number from {} to {}", bounds.start(), bounds.end());
        Problem::new(StatusCode::BAD_REQUEST).detail(detail)
    })
}
