//! What has to hold for every input, one module a fuzz target. `tests/fuzz_seeds.rs` of the project above runs the same
//! over the seeds.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "an assertion fails by panicking")]

pub mod exposition;
pub mod filter;
mod input;
pub mod json;
#[path = "../../tests/exposition/model.rs"]
mod model;
#[path = "../../tests/support/ordered_json.rs"]
mod ordered_json;
#[allow(dead_code, reason = "the tests of the exposition ask it for more")]
#[path = "../../tests/exposition/parser.rs"]
mod parser;
#[path = "../../tests/exposition/parts.rs"]
mod parts;
pub mod request_id;
mod service;
#[path = "../../tests/support/trace_context.rs"]
mod trace_context;
pub mod traceparent;
