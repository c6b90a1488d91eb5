//! What the tests of redpane and of its service share: one reader of each thing that they look at.
//!
//! * [`exposition`]: what `/metrics` answers, read by a parser that accepts only what the formats allow
//! * [`Line`] and [`Log`]: log lines, and an output that keeps them
//! * [`trace_context`]: the rules of W3C Trace Context, read a second time
//! * [`Observed`]: an instrumented router on a port of its own, its log and its metrics
//! * [`client`] and [`raw`]: requests over real sockets, by an HTTP library and as bytes
//! * [`bundle`]: the services of the bundle; [`red_dashboards`]: what dashboards of others ask
//! * `browser` (a feature): a real browser that is looked at and clicked in
//! * `otlp` (a feature): a receiver of spans
//! * [`process`]: programs as child processes
//! * [`is_required`], [`find_program`]: whether a test may be skipped where a tool is missing, and where it is
//! * [`wait`]: waiting for a condition, with a deadline
//!
//! It knows the library and not the service: what needs the service in process is beside the service's tests.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::must_use_candidate, reason = "an unused value in a test is a mistake that shows by itself")]

mod agreement;
mod body;
#[cfg(feature = "browser")]
pub mod browser;
pub mod bundle;
pub mod client;
pub mod exposition;
mod json;
mod line;
mod log;
mod observed;
#[cfg(feature = "otlp")]
pub mod otlp;
#[cfg(unix)]
pub mod process;
pub mod raw;
pub mod red_dashboards;
mod required;
pub mod trace_context;
pub mod wait;

pub use body::{Scripted, Step};
pub use exposition::Samples;
pub use line::Line;
pub use log::Log;
pub use observed::{Observed, serve};
pub use required::{find_program, is_required};
pub use wait::{block_until, eventually, until};
