//! Tools that may be missing.

/// Whether `REDPANE_TEST_REQUIRE` names this tool: then its absence is a failure, not a reason to skip.
pub fn is_required(tool: &str) -> bool {
    std::env::var("REDPANE_TEST_REQUIRE").unwrap_or_default().split(',').any(|name| name.trim() == tool)
}
