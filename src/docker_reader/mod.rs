//! `redpane docker-reader`: shows the log collector what it needs of the Docker API, and nothing else: containers, networks
//! by name only, and log lines.
//!
//! # Why it is not the socket itself
//!
//! A container that is restarted gets a new address, but keeps its id and its log. Promtail looks a container's labels up
//! once, and its cursor has whole seconds. So after a restart the new lines carry the old address, or the second that is
//! read twice carries the new one. And Loki keeps one of two equal lines for certain only where they arrive together:
//! what is sent again later is counted twice by its metric queries.
//!
//! Here a container that gets another address is another container, with an id of its own, the address it had, and the
//! lines it wrote with it (`lives`). And where a collector goes on after an end, Loki is asked which lines it has: those are
//! left out (`resume`, `deduplicate`). So a cursor may also be put back: what Promtail had read but not yet sent when it
//! was killed is read again, and nothing else is.
//!
//! Whoever has the Docker socket can do what root can. Here are four routes, all of them with `GET`, and no environment
//! and no command line of any container.

mod deduplicate;
mod docker;
mod http_client;
mod keep_open;
mod lives;
mod loki;
mod moment;
mod resume;
mod routes;
mod store;
#[cfg(test)]
mod tests;

pub(crate) use routes::{Options, router, routes};
