//! `POST /alerts`.

use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use http::{HeaderMap, Method, StatusCode};
use redpane::problem::Problem;
use serde_json::json;

use super::alert::Payload;
use super::{counters, line};
use crate::log_targets::RECEIVER;
use crate::web::{self, json_body};

/// Most alerts in one payload; 422 for more.
const ALERT_LIMIT: usize = 10_000;

/// Methods and routes of the receiver, to be preregistered.
pub(crate) fn routes() -> Vec<(Method, &'static str)> {
    vec![(Method::POST, "/alerts")]
}

/// `POST /alerts` with bodies of at most `body_limit` bytes. Without probes, metrics and fallbacks.
pub(crate) fn router(body_limit: usize, request_timeout: Duration) -> Router {
    let router = Router::new().route("/alerts", post(receive)).with_state(body_limit);
    web::with_timeout(router, request_timeout)
}

async fn receive(State(body_limit): State<usize>, headers: HeaderMap, body: Body) -> Response {
    match read(&headers, body, body_limit).await {
        Ok(payload) => {
            for alert in &payload.alerts {
                line::write(alert, &payload);
                counters::received(alert.state());
            }
            if payload.truncated_alerts > 0 {
                let missing = payload.truncated_alerts;
                tracing::warn!(target: RECEIVER, missing, "the sender left {missing} alerts out of this payload");
            }
            Json(json!({"alerts": payload.alerts.len()})).into_response()
        }
        Err(problem) => {
            counters::rejected();
            problem.into_response()
        }
    }
}

async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Payload, Problem> {
    let bytes = json_body::read(headers, body, limit).await?;
    json_body::check_syntax(&bytes)?;
    let unprocessable = |detail: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY).detail(detail);
    let payload: Payload = serde_json::from_slice(&bytes).map_err(|error| {
        unprocessable(format!("not a webhook of Grafana alerting or Alertmanager (version 4): {error}"))
    })?;
    match payload.alerts.len() {
        0..=ALERT_LIMIT => Ok(payload),
        count => Err(unprocessable(format!("{count} alerts in one payload; at most {ALERT_LIMIT} are taken"))),
    }
}
