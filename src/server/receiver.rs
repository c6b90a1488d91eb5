//! `redpane receiver`: takes the webhooks of Grafana alerting and of Alertmanager, writes each alert as one log line.
//!
//! With the lines in the log store an alert can be found beside the lines that it is about. The level is never `ERROR`,
//! or an alert on error lines would keep itself firing.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use http::{HeaderMap, Method, StatusCode};
use serde_json::json;

use super::Config;
use redpane::Telemetry;
use crate::api::json_body;
use redpane::problem::Problem;

mod alert;

use alert::{Alert, Payload};

const RECEIVED: &str = "redpane_alerts_received_total";
const REJECTED: &str = "redpane_alert_payloads_rejected_total";

/// Largest number of alerts in one payload; a sender of more is told so.
const ALERT_LIMIT: usize = 10_000;

/// The routes of this role, to be announced to the metrics.
#[must_use]
pub fn routes() -> Vec<(Method, &'static str)> {
    vec![(Method::POST, "/alerts")]
}

/// Starts the counts of alerts at 0: the first one must already be an increase.
pub(super) fn announce(telemetry: &Telemetry) {
    metrics::with_local_recorder(&telemetry.recorder(), || {
        metrics::describe_counter!(RECEIVED, "Alerts received, by their state.");
        metrics::describe_counter!(REJECTED, "Requests with a payload that is no webhook of a known kind.");
        for state in [alert::State::Firing, alert::State::Resolved] {
            metrics::counter!(RECEIVED, "state" => state.as_str()).increment(0);
        }
        metrics::counter!(REJECTED).increment(0);
    });
}

/// `POST /alerts`.
pub fn router(config: &Config) -> Router {
    let router = Router::new().route("/alerts", post(receive)).with_state(config.body_limit);
    crate::api::with_timeout(router, config.request_timeout)
}

async fn receive(State(limit): State<usize>, headers: HeaderMap, body: Body) -> Response {
    match read(&headers, body, limit).await {
        Ok(payload) => {
            payload.alerts.iter().for_each(|alert| write(alert, &payload));
            if payload.truncated_alerts > 0 {
                let missing = payload.truncated_alerts;
                tracing::warn!(missing, "the sender left {missing} alerts out of this payload");
            }
            Json(json!({"alerts": payload.alerts.len()})).into_response()
        }
        Err(problem) => {
            metrics::counter!(REJECTED).increment(1);
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

/// One line, and one count. A resolved alert is news, a firing one a warning.
fn write(alert: &Alert, payload: &Payload) {
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                target: "redpane::receiver",
                name = alert.name(),
                state = alert.state().as_str(),
                severity = alert.label("severity"),
                labels = alert.labels_text(),
                value = alert.value(),
                summary = alert.summary(),
                dashboard_url = alert.link(&alert.dashboard_url, "dashboard_url"),
                panel_url = alert.link(&alert.panel_url, "panel_url"),
                silence_url = alert.link(&alert.silence_url, "silence_url"),
                generator_url = alert.link(&alert.generator_url, "generator_url"),
                runbook_url = alert.link(&None, "runbook_url"),
                logs_url = alert.link(&None, "logs_url"),
                starts_at = alert.starts_at(),
                ends_at = alert.ends_at(),
                receiver = payload.receiver.as_deref(),
                "alert"
            )
        };
    }
    match alert.state() {
        alert::State::Firing => line!(warn),
        alert::State::Resolved => line!(info),
    }
    metrics::counter!(RECEIVED, "state" => alert.state().as_str()).increment(1);
}
