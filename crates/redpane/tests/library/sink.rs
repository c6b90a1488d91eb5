//! The log's way out, through outputs that block, fail, or take a few bytes at a time: what is lost is counted and told,
//! exactly, and nothing else is.

mod blocked;
mod failing;
mod filter;
mod outputs;
mod partial;
mod pretty;
mod support;
