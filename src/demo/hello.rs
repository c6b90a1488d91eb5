//! `GET /hello/{name}`: any number of paths, one route label in the metrics.

use axum::Json;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use redpane::problem::Problem;
use serde::Serialize;

use crate::log_targets::API;

/// The answer of `GET /hello/{name}`.
#[derive(Debug, Serialize)]
pub(super) struct Greeting {
    message: String,
}

pub(super) async fn answer(name: Result<Path<String>, PathRejection>) -> Result<Json<Greeting>, Problem> {
    let Path(name) = name.map_err(|error| Problem::new(error.status()).detail(error.body_text()))?;
    tracing::debug!(target: API, name, "greeting");
    Ok(Json(Greeting { message: format!("Hello, {name}!") }))
}
