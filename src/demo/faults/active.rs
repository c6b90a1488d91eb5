//! The faults that are set for the whole API, and the handlers that read, set and clear them.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use redpane::problem::Problem;

use super::settings::FaultSettings;
use crate::log_targets::API;
use crate::web::json_body;

/// The settings in force. Clones share them.
#[derive(Clone)]
pub(super) struct ActiveFaults {
    settings: Arc<RwLock<FaultSettings>>,
    /// Largest body of `PUT /faults` in bytes.
    body_limit: usize,
}

impl ActiveFaults {
    /// No faults.
    pub(super) fn new(body_limit: usize) -> Self {
        Self { settings: Arc::default(), body_limit }
    }

    // A poisoned lock is as good as any: the settings are replaced as a whole, so they are never half written.
    fn get(&self) -> FaultSettings {
        *self.settings.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, settings: FaultSettings) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = settings;
        tracing::warn!(
            target: API,
            error_ratio = settings.error_ratio,
            delay_ms = settings.delay_ms,
            panic_ratio = settings.panic_ratio,
            "faults changed"
        );
    }
}

/// Why a request failed: said in its answer, in its line and on its span.
#[derive(Debug)]
struct Injected {
    error_ratio: f64,
}

impl fmt::Display for Injected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "injected by /faults (error_ratio {})", self.error_ratio)
    }
}

impl std::error::Error for Injected {}

/// Middleware: waits, panics or answers 500 as the settings in force say, else calls the route.
pub(super) async fn inject(State(faults): State<ActiveFaults>, request: Request, next: Next) -> Response {
    let settings = faults.get();
    if settings.delay_ms > 0 {
        tokio::time::sleep(Duration::from_millis(settings.delay_ms)).await;
    }
    // random() is in [0, 1): a ratio of 0 never hits and one of 1 always does.
    if rand::random::<f64>() < settings.panic_ratio {
        panic!("injected by /faults (panic_ratio {})", settings.panic_ratio);
    }
    if rand::random::<f64>() < settings.error_ratio {
        let error = Injected { error_ratio: settings.error_ratio };
        redpane::record_error(&error);
        return Problem::new(StatusCode::INTERNAL_SERVER_ERROR).detail(error.to_string()).into_response();
    }
    next.run(request).await
}

/// `GET /faults`.
pub(super) async fn read(State(faults): State<ActiveFaults>) -> Json<FaultSettings> {
    Json(faults.get())
}

/// `PUT /faults`: 422 names every field that is wrong.
pub(super) async fn replace(
    State(faults): State<ActiveFaults>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<FaultSettings>, Problem> {
    let bytes = json_body::read(&headers, body, faults.body_limit).await?;
    json_body::check_syntax(&bytes)?;
    let settings = FaultSettings::parse(&bytes)
        .map_err(|mistakes| Problem::new(StatusCode::UNPROCESSABLE_ENTITY).detail(mistakes.join("; ")))?;
    faults.set(settings);
    Ok(Json(settings))
}

/// `DELETE /faults`.
pub(super) async fn clear(State(faults): State<ActiveFaults>) -> StatusCode {
    faults.set(FaultSettings::default());
    StatusCode::NO_CONTENT
}
