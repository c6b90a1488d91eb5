//! `GET /`: who answers, and since when.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::state::DemoState;
use crate::version::{REVISION, VERSION};

/// The answer of `GET /`.
#[derive(Debug, Serialize)]
pub(super) struct About {
    service: &'static str,
    version: &'static str,
    revision: &'static str,
    /// Since the API was set up, in whole milliseconds.
    uptime_seconds: f64,
}

pub(super) async fn answer(State(state): State<DemoState>) -> Json<About> {
    let uptime_seconds = (state.started.elapsed().as_secs_f64() * 1e3).floor() / 1e3;
    Json(About { service: "redpane", version: VERSION, revision: REVISION, uptime_seconds })
}
