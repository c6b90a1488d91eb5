//! The text of error answers: `application/problem+json` (RFC 9457).

use http::{HeaderValue, StatusCode};

use super::current::current;

pub(crate) const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// The answer for a status, with the trace id of the current request. `type` is left out, which RFC 9457 reads as
/// `about:blank`: the title then is the status's own phrase.
pub(crate) fn json(status: StatusCode, detail: Option<&str>) -> String {
    let title = quoted(status.canonical_reason().unwrap_or("Error"));
    let mut json = format!("{{\"title\":{title},\"status\":{}", status.as_u16());
    if let Some(detail) = detail {
        json.extend([",\"detail\":", &quoted(detail)]);
    }
    if let Some(context) = current() {
        // Digits need no escape.
        json.extend([",\"trace_id\":\"", context.trace_id().as_str(), "\""]);
    }
    json.push('}');
    json
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text is JSON")
}
