//! The modules of the page that need no browser, tested by node's own runner.

use std::process::Command;

use test_support::is_required;

#[test]
fn are_right() {
    let works = Command::new("node").arg("--version").output().is_ok_and(|output| output.status.success());
    if !works {
        assert!(!is_required("node"), "REDPANE_TEST_REQUIRE names node, which is not installed");
        return println!("skipped: node is not installed");
    }
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pane/modules");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut tests: Vec<_> = files.filter(|file| file.extension().is_some_and(|extension| extension == "mjs")).collect();
    tests.sort();
    assert!(!tests.is_empty());
    let output = Command::new("node").arg("--test").args(tests).output().unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
