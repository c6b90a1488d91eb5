//! `POST /echo`: the same JSON back, byte for byte.

use axum::body::{Body, Bytes};
use axum::extract::State;
use http::{HeaderMap, StatusCode, header};
use redpane::problem::Problem;

use super::representable::Representable;
use super::state::DemoState;
use crate::web::json_body;

pub(super) async fn answer(
    State(state): State<DemoState>,
    headers: HeaderMap,
    body: Body,
) -> Result<([(http::HeaderName, &'static str); 1], Bytes), Problem> {
    let bytes = json_body::read(&headers, body, state.body_limit).await?;
    check(&bytes)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], bytes))
}

/// 400 for what is no JSON. 422 for what its grammar allows and a `serde_json::Value` cannot represent: nesting of more than 127
/// levels, numbers beyond a 64-bit float, escapes of half a surrogate pair.
fn check(bytes: &[u8]) -> Result<(), Problem> {
    let Err(error) = serde_json::from_slice::<Representable>(bytes) else { return Ok(()) };
    json_body::check_syntax(bytes)?;
    let detail = format!("the body is JSON, but it holds a value that cannot be represented: {error}");
    Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY).detail(detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_json_that_cannot_be_represented_is_unprocessable() {
        let deep = "[".repeat(200) + &"]".repeat(200);
        for text in [deep.as_str(), "1e400", r#""\ud800""#] {
            assert!(json_body::check_syntax(text.as_bytes()).is_ok(), "{text}");
            assert!(check(text.as_bytes()).is_err(), "{text}");
        }
        for text in ["null", "[1.5, 12345678901234567890123]", r#"{"a": "\ud83d\ude00"}"#] {
            assert!(check(text.as_bytes()).is_ok(), "{text}");
        }
    }
}
