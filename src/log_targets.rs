//! The `target` of the service's own log lines, one a room.
//!
//! `REDPANE_LOG` filters on them. They are constants because the default, the module path, would change whenever a file
//! moves.

/// Start, connections and shutdown.
pub(crate) const SERVER: &str = "redpane::server";
/// The demo API.
pub(crate) const API: &str = "redpane::api";
/// The alert receiver.
pub(crate) const RECEIVER: &str = "redpane::receiver";
/// The reader of Docker's API.
pub(crate) const DOCKER_READER: &str = "redpane::docker_reader";
