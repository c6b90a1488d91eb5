//! `GET /checkout`: a request that goes through several services, each of which works a little and asks the next one.

mod hops;
mod next;
mod next_error;

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use redpane::client::OutgoingLayer;
use redpane::problem::Problem;
use serde::{Deserialize, Serialize};
use tracing::Instrument;

use super::state::DemoState;
use crate::log_targets::API;
use crate::settings::Upstream;
use hops::Hops;
use next::Next;

pub(crate) use next::calls;

/// How long each of the two steps works.
const STEP: Duration = Duration::from_millis(2);

/// Cloned for every request; clones share their connections.
#[derive(Clone)]
pub(super) struct Checkout {
    app: String,
    next: Option<Next>,
    /// Time until an answer must begin.
    timeout: Duration,
}

impl Checkout {
    pub(super) fn new(app: String, next: Option<(Upstream, OutgoingLayer)>, timeout: Duration) -> Self {
        Self { app, next: next.map(|(upstream, calls)| Next::new(&upstream, calls)), timeout }
    }
}

/// The answer of `GET /checkout`.
#[derive(Debug, Serialize, Deserialize)]
struct CheckedOut {
    app: String,
    /// The services below, the next one first.
    hops: Vec<String>,
}

pub(super) async fn answer(State(state): State<DemoState>, headers: HeaderMap) -> Response {
    let Checkout { app, next, timeout } = state.checkout;
    work("items reserved").instrument(tracing::info_span!(target: API, "reserve")).await;
    work("price computed").instrument(tracing::info_span!(target: API, "price")).await;
    let Some(next) = next else { return Json(CheckedOut { app, hops: Vec::new() }).into_response() };
    let Some(hops) = Hops::left(&headers).spend() else {
        redpane::record_error(&hops::TooMany);
        return Problem::new(StatusCode::LOOP_DETECTED).detail(hops::TooMany.to_string()).into_response();
    };
    match next.ask(hops, hops.time_to_wait(timeout)).await {
        Ok(below) => {
            let hops = std::iter::once(below.app).chain(below.hops).collect();
            Json(CheckedOut { app, hops }).into_response()
        }
        Err(error) => {
            redpane::record_error(&error);
            Problem::new(StatusCode::BAD_GATEWAY).detail(error.with_causes()).into_response()
        }
    }
}

async fn work(done: &'static str) {
    tokio::time::sleep(STEP).await;
    tracing::debug!(target: API, "{done}");
}
