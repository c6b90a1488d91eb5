//! `POST /alerts`.

use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use http::{HeaderMap, Method, StatusCode, header};
use redpane::Telemetry;
use redpane::problem::Problem;
use serde_json::json;

use super::batch::{self, Outcome};
use super::counters;
use super::cut::shortened;
use super::payload::{ALERT_LIMIT, Payload};
use crate::web::{self, json_body};

/// Seconds after which a sender whose alerts were not taken may try again.
const RETRY_AFTER: &str = "5";

/// Methods and routes of the receiver, to be preregistered.
pub(crate) fn routes() -> Vec<(Method, &'static str)> {
    vec![(Method::POST, "/alerts")]
}

/// `POST /alerts` with bodies of at most `body_limit` bytes. Without probes, metrics and fallbacks.
pub(crate) fn router(telemetry: &Telemetry, body_limit: usize, request_timeout: Duration) -> Router {
    let receiver = Receiver { telemetry: telemetry.clone(), body_limit };
    web::with_timeout(Router::new().route("/alerts", post(receive)).with_state(receiver), request_timeout)
}

#[derive(Clone)]
struct Receiver {
    /// Whose log takes the lines.
    telemetry: Telemetry,
    body_limit: usize,
}

/// 200 where the line of every alert is in the log's buffer, and of at least one alert.
async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: Body) -> Response {
    match take(&receiver, &headers, body).await {
        Ok(answer) => answer,
        Err(problem) => {
            counters::rejected();
            problem.into_response()
        }
    }
}

/// # Errors
/// A payload that cannot be used.
async fn take(receiver: &Receiver, headers: &HeaderMap, body: Body) -> Result<Response, Problem> {
    let bytes = json_body::read(headers, body, receiver.body_limit).await?;
    let payload = read(&bytes)?;
    let Ok(outcome) = batch::write(&receiver.telemetry, &payload, bytes.len()).await else {
        let detail = "the log takes no lines at the moment; send the alerts again";
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE).detail(detail);
        return Ok(([(header::RETRY_AFTER, RETRY_AFTER)], problem).into_response());
    };
    match outcome {
        Outcome { taken: 0, refused, first_mistake: Some(mistake) } => {
            Err(unprocessable(format!("none of the {refused} alerts can be used; the first: {mistake}")))
        }
        Outcome { taken, refused: 0, .. } => Ok(Json(json!({"alerts": taken})).into_response()),
        Outcome { taken, refused, .. } => Ok(Json(json!({"alerts": taken, "refused": refused})).into_response()),
    }
}

fn read(bytes: &[u8]) -> Result<Payload<'_>, Problem> {
    json_body::check_syntax(bytes)?;
    let payload: Payload<'_> = serde_json::from_slice(bytes).map_err(|error| {
        let mistake = shortened(&error.to_string());
        unprocessable(format!("not a webhook of Grafana alerting or Alertmanager (version 4): {mistake}"))
    })?;
    match payload.alerts.count {
        0..=ALERT_LIMIT => Ok(payload),
        count => Err(unprocessable(format!("{count} alerts in one payload; at most {ALERT_LIMIT} are taken"))),
    }
}

fn unprocessable(detail: String) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY).detail(detail)
}
