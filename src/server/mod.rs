//! Serves a `Router` on one or two listeners: connections within limits, shutdown in phases, health, process metrics.

mod accept;
mod accept_errors;
mod builders;
mod connection;
mod ended;
mod every_second;
mod first_request;
mod health;
pub mod healthcheck;
mod limits;
mod listeners;
mod phase;
mod poll_on_drop;
mod process_metrics;
mod proxies;
mod run;
mod signals;
mod strict;
mod trailers;

pub use ended::{Cause, Ended};
pub use health::PROBES;
pub use limits::Limits;
pub use listeners::{BindError, Listeners, bind};
pub use proxies::TrustedProxies;
pub use run::run;
pub use signals::Signals;
