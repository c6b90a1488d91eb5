//! The library as an application uses it, in one binary: whatever needs no process of its own. (`install` and
//! `install_refused` change what a process has once, and `memory` counts the allocations of all of it.)
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod architecture;
mod beside;
mod calls;
mod composition;
mod context;
mod declared;
mod endings;
#[cfg(unix)]
mod ends;
#[cfg(unix)]
mod examples;
mod exposition;
mod fuzz_seeds;
mod grpc;
mod hostile;
mod ids_from;
mod layers;
mod observe;
#[cfg(feature = "pane")]
mod pane;
mod promoted;
mod properties;
mod public_api;
mod readers;
mod recording;
mod sampling;
mod sink;
mod streams;
#[cfg(feature = "otlp")]
mod traces;
