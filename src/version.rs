//! Which build this is.

/// The release of this program.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The commit this program was built from: `REDPANE_REVISION` at build time, else `unknown`.
pub(crate) const REVISION: &str = match option_env!("REDPANE_REVISION") {
    Some(revision) if !revision.is_empty() => revision,
    _ => "unknown",
};
