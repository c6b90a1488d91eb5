//! How answers are made.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use super::problem::Problem;
use super::state::Pane;

/// An answer, or what is wrong with the request.
pub(super) type Answer = Result<Response, Problem>;

/// An answer in JSON.
pub(super) fn json(answer: &impl Serialize) -> Answer {
    let failed = |error: serde_json::Error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string());
    serde_json::to_vec(answer).map(json_text).map_err(failed)
}

/// The same of a text that is JSON already.
pub(super) fn json_text(text: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], text).into_response()
}

/// Runs what takes milliseconds where it holds nobody up, few at a time.
pub(super) async fn blocking<T: Send + 'static>(
    pane: &Arc<Pane>,
    work: impl FnOnce(&Pane) -> T + Send + 'static,
) -> Result<T, Problem> {
    let failed = || Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the search failed");
    let turn = Arc::clone(&pane.searches).acquire_owned().await.map_err(|_| failed())?;
    let pane = Arc::clone(pane);
    let done = tokio::task::spawn_blocking(move || {
        let done = work(&pane);
        drop(turn);
        done
    });
    done.await.map_err(|_| failed())
}

/// The answer where what the pane is about is no more.
pub(super) fn ended() -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the telemetry of this pane has ended")
}
