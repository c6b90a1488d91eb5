//! What axum adds: `instrument`, the metrics route, the extractor of the request's context, and error answers.

mod extract;
mod instrument;
#[cfg(feature = "pane")]
mod pane;
#[cfg(feature = "pane")]
pub(crate) mod pane_source;
pub(crate) mod problem;
