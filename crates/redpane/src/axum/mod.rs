//! What axum adds: `instrument`, the metrics route, the extractor of the request's context, and error answers.

mod extract;
mod instrument;
pub(crate) mod problem;
