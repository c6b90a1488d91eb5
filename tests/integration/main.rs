//! The library over real sockets: every request is counted once and logged once, and both say the same.

// Helpers are no `#[test]` functions, which is all that clippy.toml can make an exception for.
#![allow(clippy::unwrap_used)]

mod composition;
mod context;
mod endings;
#[path = "../helpers/mod.rs"]
mod helpers;
mod hostile;
#[cfg(unix)]
mod prometheus;
#[cfg(unix)]
mod service;
