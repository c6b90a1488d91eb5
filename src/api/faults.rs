//! `/faults`: errors, delays and panics on demand, to see what the telemetry makes of them. Only with `REDPANE_FAULTS`.
//!
//! What is set with `PUT /faults` happens to the routes of the API; each `/faults/...` route is one fault of its own.

mod settings;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{HeaderMap, Method, StatusCode, header};
use serde_json::json;

use super::body::Lines;
use super::json_body;
use redpane::problem::Problem;
use settings::FaultSettings;

/// Chunks a client may ask `/faults/chunked/{n}` for.
const CHUNK_LIMIT: u32 = 10_000;
/// Lines that `/faults/cut` sends before it breaks off.
const LINES_BEFORE_CUT: u32 = 5;

/// The settings that are in force, and what reading a body of new ones may take.
#[derive(Clone)]
struct Faults {
    settings: Arc<RwLock<FaultSettings>>,
    body_limit: usize,
}

impl Faults {
    // The settings are replaced as a whole, so a panic elsewhere cannot leave them half written.
    fn get(&self) -> FaultSettings {
        *self.settings.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, settings: FaultSettings) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = settings;
        tracing::warn!(
            error_ratio = settings.error_ratio,
            delay_ms = settings.delay_ms,
            panic_ratio = settings.panic_ratio,
            "faults changed"
        );
    }
}

pub(super) fn routes() -> Vec<(Method, &'static str)> {
    let own = [Method::GET, Method::PUT, Method::DELETE].map(|method| (method, "/faults"));
    let single = ["/faults/status/{code}", "/faults/delay/{ms}", "/faults/chunked/{n}", "/faults/panic", "/faults/cut"];
    own.into_iter().chain(single.map(|route| (Method::GET, route))).collect()
}

/// Puts the settings' faults in front of every route of `api` and adds the routes of `/faults` beside it.
pub(super) fn mount(api: Router, body_limit: usize) -> Router {
    let faults = Faults { settings: Arc::default(), body_limit };
    let own = Router::new()
        .route("/faults", get(read).put(replace).delete(clear))
        .route("/faults/status/{code}", get(status))
        .route("/faults/delay/{ms}", get(delay))
        .route("/faults/chunked/{n}", get(chunked))
        .route("/faults/panic", get(panic))
        .route("/faults/cut", get(cut))
        .with_state(faults.clone());
    api.route_layer(from_fn_with_state(faults, inject)).merge(own)
}

async fn inject(State(faults): State<Faults>, request: Request, next: Next) -> Response {
    let settings = faults.get();
    if settings.delay_ms > 0 {
        tokio::time::sleep(Duration::from_millis(settings.delay_ms)).await;
    }
    // A ratio of 0 never hits and one of 1 always does: random() is below 1.
    if rand::random::<f64>() < settings.panic_ratio {
        panic!("injected by /faults (panic_ratio {})", settings.panic_ratio);
    }
    if rand::random::<f64>() < settings.error_ratio {
        let detail = format!("injected by /faults (error_ratio {})", settings.error_ratio);
        return Problem::new(StatusCode::INTERNAL_SERVER_ERROR).detail(detail).into_response();
    }
    next.run(request).await
}

async fn read(State(faults): State<Faults>) -> Json<FaultSettings> {
    Json(faults.get())
}

async fn replace(State(faults): State<Faults>, headers: HeaderMap, body: Body) -> Result<Json<FaultSettings>, Problem> {
    let bytes = json_body::read(&headers, body, faults.body_limit).await?;
    json_body::check_syntax(&bytes)?;
    let settings = FaultSettings::parse(&bytes)
        .map_err(|mistakes| Problem::new(StatusCode::UNPROCESSABLE_ENTITY).detail(mistakes.join("; ")))?;
    faults.set(settings);
    Ok(Json(settings))
}

async fn clear(State(faults): State<Faults>) -> StatusCode {
    faults.set(FaultSettings::default());
    StatusCode::NO_CONTENT
}

/// A number of the path, within bounds; 400 says which.
fn number(path: Result<Path<String>, PathRejection>, bounds: std::ops::RangeInclusive<u32>) -> Result<u32, Problem> {
    let text = path.map(|Path(text)| text).unwrap_or_default();
    text.parse().ok().filter(|value| bounds.contains(value)).ok_or_else(|| {
        let detail = format!("the path must end in a whole number from {} to {}", bounds.start(), bounds.end());
        Problem::new(StatusCode::BAD_REQUEST).detail(detail)
    })
}

/// 1xx are no final answers, above 599 there is nothing.
async fn status(code: Result<Path<String>, PathRejection>) -> Result<Response, Problem> {
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

async fn delay(ms: Result<Path<String>, PathRejection>) -> Result<Response, Problem> {
    let delay_ms = number(ms, 0..=settings::MAX_DELAY_MS)?;
    tokio::time::sleep(Duration::from_millis(delay_ms.into())).await;
    Ok(Json(json!({"delay_ms": delay_ms})).into_response())
}

async fn chunked(n: Result<Path<String>, PathRejection>) -> Result<Response, Problem> {
    let count = number(n, 1..=CHUNK_LIMIT)?;
    Ok(in_pieces(Lines::whole(count)))
}

async fn panic() -> Response {
    panic!("injected by /faults/panic")
}

async fn cut() -> Response {
    in_pieces(Lines::cut_after(LINES_BEFORE_CUT))
}

fn in_pieces(lines: Lines) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], Body::new(lines)).into_response()
}
