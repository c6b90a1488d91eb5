//! redpane.
#![forbid(unsafe_code)]

mod builder;
mod context;
mod install;
mod instrument;
mod logs;
mod metrics;
mod options;
pub mod problem;
mod request_id;
mod tasks;
mod telemetry;
mod trace_context;

pub use builder::Redpane;
pub use context::{RequestContext, current};
pub use install::InstallError;
pub use instrument::TimedOut;
pub use logs::{FlushError, LogFormat, LogLayer, WhenFull};
pub use metrics::{ExpositionFormat, Recorder};
pub use options::ConfigError;
pub use tasks::{InRequest, in_current_request, spawn, spawn_blocking};
pub use telemetry::Telemetry;
pub use trace_context::{SpanId, TraceId, TraceParent};
