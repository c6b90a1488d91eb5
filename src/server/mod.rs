//! Serves a `Router` on one or two listeners: connections within limits, shutdown in phases, health, process metrics.

mod accept;
mod accept_errors;
mod answering;
mod builders;
mod client_metrics;
mod clients;
mod connection;
mod crowd;
mod drain;
mod ended;
mod every_second;
mod head;
mod health;
pub mod healthcheck;
mod last_scrape;
mod limits;
mod listener_state;
mod listeners;
mod phase;
mod process_metrics;
mod proxies;
mod rewound;
mod routes;
mod run;
mod signals;
mod strict;
mod told_body;

pub use ended::{Cause, Ended};
pub use health::PROBES;
pub use limits::Limits;
pub use listeners::{BindError, Listeners, bind, bind_for_thread};
pub use proxies::TrustedProxies;
pub use run::run;
pub use signals::Signals;
