//! `redpane receiver`: takes the webhooks of Grafana alerting and of Alertmanager and writes each alert as one log line.
//!
//! With these lines in the log store, an alert can be found beside the lines that caused it.

mod alert;
mod batch;
mod counters;
mod cut;
mod fields;
mod incident;
mod line;
mod payload;
mod webhook;

pub(crate) use counters::preregister as preregister_counters;
pub(crate) use webhook::{router, routes};
