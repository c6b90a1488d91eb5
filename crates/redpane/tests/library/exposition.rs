//! What a scraper gets, in process: each answer is read back by a parser that accepts nothing but what the formats allow.

mod application;
mod collisions;
mod http;
mod invariant;
mod limits;
mod otel;
mod sharing;
mod support;
