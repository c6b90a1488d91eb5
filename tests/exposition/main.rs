//! What a scraper gets, in process: each answer is read back by a parser that accepts nothing but what the formats allow.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod application;
mod collisions;
mod http;
mod invariant;
mod limits;
mod model;
mod parser;
mod parts;
mod support;
