//! The methods that are told by their names: in the label `method`, and in spans.

use http::Method;

/// The nine standard methods (RFC 9110 and RFC 5789), `QUERY`, and what stands for all others.
pub(crate) const METHODS: [&str; 11] =
    ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY", "_OTHER"];

/// The position of a method in [`METHODS`].
pub(crate) fn method_index(method: &Method) -> usize {
    match *method {
        Method::GET => 0,
        Method::HEAD => 1,
        Method::POST => 2,
        Method::PUT => 3,
        Method::DELETE => 4,
        Method::CONNECT => 5,
        Method::OPTIONS => 6,
        Method::TRACE => 7,
        Method::PATCH => 8,
        _ if method.as_str() == "QUERY" => 9,
        _ => 10,
    }
}

/// Whether a method is none of those that have a name.
#[cfg(feature = "otlp")]
pub(crate) fn is_other(method: &Method) -> bool {
    method_index(method) == METHODS.len() - 1
}
