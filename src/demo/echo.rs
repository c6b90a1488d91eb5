//! `POST /echo`: the same JSON back, byte for byte.

use axum::body::{Body, Bytes};
use axum::extract::State;
use http::{HeaderMap, StatusCode, header};
use redpane::problem::Problem;
use serde_json::Value;

use super::state::DemoState;
use crate::web::json_body;

pub(super) async fn answer(
    State(state): State<DemoState>,
    headers: HeaderMap,
    body: Body,
) -> Result<([(http::HeaderName, &'static str); 1], Bytes), Problem> {
    let bytes = json_body::read(&headers, body, state.body_limit).await?;
    json_body::check_syntax(&bytes)?;
    check_values(&bytes)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], bytes))
}

/// 422 for what the JSON grammar allows and `Value` cannot represent: nesting of more than 127 levels, numbers beyond a
/// 64-bit float, escapes of half a surrogate pair.
fn check_values(bytes: &[u8]) -> Result<(), Problem> {
    serde_json::from_slice::<Value>(bytes).map(drop).map_err(|error| {
        let detail = format!("the body is JSON, but it holds a value that cannot be represented: {error}");
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY).detail(detail)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_json_that_cannot_be_represented_is_unprocessable() {
        let deep = "[".repeat(200) + &"]".repeat(200);
        for text in [deep.as_str(), "1e400", r#""\ud800""#] {
            assert!(json_body::check_syntax(text.as_bytes()).is_ok(), "{text}");
            assert!(check_values(text.as_bytes()).is_err(), "{text}");
        }
        for text in ["null", "[1.5, 12345678901234567890123]", r#"{"a": "\ud83d\ude00"}"#] {
            assert!(check_values(text.as_bytes()).is_ok(), "{text}");
        }
    }
}
