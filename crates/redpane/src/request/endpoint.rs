//! The method and route of a request, described once for all requests that share them.

/// What all outputs say of a method and route, and how its requests are treated.
#[derive(Debug)]
pub(crate) struct EndpointInfo {
    /// The label `method`: a standard method or `_OTHER`.
    pub(crate) method: &'static str,
    /// The label `route`.
    pub(crate) route: Box<str>,
    /// What all access lines of the endpoint have in common, encoded by whoever writes the lines.
    pub(crate) encoded: Box<[u8]>,
    /// What all spans of the endpoint have in common, encoded by whoever makes the spans; empty where there are none.
    #[cfg(feature = "otlp")]
    pub(crate) span: Box<[u8]>,
    /// Its access line is written only when the request fails.
    pub(crate) log_failures_only: bool,
    /// Its requests end at the headers of their answer.
    pub(crate) until_headers: bool,
    /// They end with it, also where it streams by its nature.
    pub(crate) until_end: bool,
}
