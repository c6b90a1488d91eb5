//! The service, for its binary and its tests: an application like any other, made of the library `redpane`.

pub mod api;
pub mod server;
