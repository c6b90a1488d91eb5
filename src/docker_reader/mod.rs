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
//! Here every life of a container, from one start to the next, is a container of its own, with an id of its own, the
//! address it had, and the lines it wrote. And where a collector goes on after an end, Loki is asked which lines it has:
//! those are left out. So a cursor may also be put back: what Promtail had read but not yet sent when it was killed is
//! read again, and nothing else is.
//!
//! Whoever has the Docker socket can do what root can. Here are four routes, all of them with `GET`, and no environment
//! and no command line of any container.

mod docker;
mod hold;
mod http_client;
mod lives;
mod moment;
mod resume;
mod routes;
mod store;
mod stored;
#[cfg(test)]
mod tests;
mod unsent;

pub(crate) use routes::{Options, router, routes};
