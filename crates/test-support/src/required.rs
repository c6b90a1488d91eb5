//! Tools that may be missing.

use std::io::Write;
use std::path::PathBuf;

/// Whether `REDPANE_TEST_REQUIRE` names this tool: then its absence is a failure, not a reason to skip.
pub fn is_required(tool: &str) -> bool {
    std::env::var("REDPANE_TEST_REQUIRE").unwrap_or_default().split(',').any(|name| name.trim() == tool)
}

/// The program of this name: where `REDPANE_TEST_` and its name say, as in `REDPANE_TEST_TEMPO=/opt/tempo`, else in `PATH`. `None`,
/// and a line on standard error, where it is missing.
///
/// # Panics
/// If it is missing and [required](is_required).
pub fn find_program(name: &str) -> Option<PathBuf> {
    let variable = format!("REDPANE_TEST_{}", name.to_uppercase());
    let named = std::env::var_os(&variable).map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = named
        .or_else(|| std::env::split_paths(&path).map(|directory| directory.join(name)).find(|path| path.is_file()));
    if found.is_none() {
        assert!(!is_required(name), "REDPANE_TEST_REQUIRE asks for {name}, which is not installed");
        // Past the capture of the test's own output: who runs the tests must see that this one did not run.
        let line = format!("skipped: {name} is not in PATH, and {variable} names none\n");
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
    found
}
