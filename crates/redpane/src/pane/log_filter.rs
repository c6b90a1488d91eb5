//! The answers of `api/log-filter`.

use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::Request;
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};

use super::answer::{Answer, ended, json};
use super::input::FilterState;
use super::parameters::Parameters;
use super::problem::{Problem, shown};
use super::state::Pane;

/// The most bytes of a body.
const BODY: usize = 8 * 1024;
/// How long a changed log filter may last.
const TIME: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(24 * 3600);

/// The log filter, as the overview has it too.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Filter {
    directives: String,
    configured: String,
    events: bool,
    until_ms: Option<u64>,
}

impl From<FilterState> for Filter {
    fn from(FilterState { directives, configured, events, until_ms }: FilterState) -> Self {
        Self { directives, configured, events, until_ms }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    directives: String,
    r#for: String,
}

/// What it is.
pub(super) fn get(pane: &Pane, query: Option<&str>) -> Answer {
    Parameters::of(query).finish()?;
    json(&Filter::from(pane.host().ok_or_else(ended)?.filter()))
}

/// Sets another one for a while.
pub(super) async fn set(pane: &Pane, request: Request) -> Answer {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        let detail = "the Content-Type must be application/json";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    let too_large = |_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "the body must be at most 8192 bytes, and whole");
    let body = to_bytes(request.into_body(), BODY).await.map_err(too_large)?;
    let unusable = |detail: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail);
    let wanted: Wanted = serde_json::from_slice(&body).map_err(|error| {
        let right = "{\"directives\":\"debug\",\"for\":\"10m\"}";
        match error.is_data() {
            true => unusable(format!("{error}: must be like {right}")),
            false => Problem::bad_request(format!("the body is no JSON: {error}; right is {right}")),
        }
    })?;
    let time = humantime::parse_duration(&wanted.r#for).ok().filter(|time| TIME.contains(time));
    let time = time.ok_or_else(|| {
        unusable(format!(
            "for is {}: must be a duration with its unit from 1s to 24h, such as 10m",
            shown(&wanted.r#for)
        ))
    })?;
    let host = pane.host().ok_or_else(ended)?;
    host.set_filter(&wanted.directives, time).map_err(unusable)?;
    json(&Filter::from(host.filter()))
}

/// Puts the configured one back.
pub(super) fn restore(pane: &Pane, query: Option<&str>) -> Answer {
    Parameters::of(query).finish()?;
    let host = pane.host().ok_or_else(ended)?;
    host.restore_filter();
    json(&Filter::from(host.filter()))
}
