//! Checks by programs that may be missing: promtool, sh and shellcheck.

use std::process::Command;

use test_support::is_required;

use crate::alert_queries;
use crate::files::Bundle;
use crate::findings::Findings;

/// Says that a test is skipped for want of `tool`, or fails where `REDPANE_TEST_REQUIRE` names it.
pub(crate) fn skip(tool: &str, needed: &str) {
    assert!(!is_required(tool), "REDPANE_TEST_REQUIRE names {tool}, which is not here: {needed}");
    eprintln!("skipped: {tool} is not here ({needed})");
}

/// The name of an installed program, or nothing and a message.
pub(crate) fn find(tool: &str) -> Option<String> {
    if Command::new(tool).arg("--version").output().is_ok() {
        return Some(tool.to_owned());
    }
    skip(tool, "install it and have it on the PATH");
    None
}

/// `promtool check config`, `check rules` and `test rules` over the bundle's files.
pub(crate) fn promtool(promtool: &str, bundle: &Bundle) -> Findings {
    let mut findings = Findings::default();
    // The rules are mounted elsewhere in the container, so only the syntax of the configuration can be checked here.
    run(promtool, &["check", "config", "--syntax-only", "prometheus.yml"], bundle, "prometheus.yml", &mut findings);
    run(promtool, &["check", "rules", "prometheus-rules.yml"], bundle, "prometheus-rules.yml", &mut findings);
    let tests = bundle.list("tests/promtool", &[".yml", ".yaml"]);
    findings.expect(!tests.is_empty(), "tests/promtool", "", "has no tests of the recording rules");
    for file in &tests {
        let made = alert_queries::made_out(bundle, file, &mut findings);
        let path = made.as_ref().map_or_else(|| file.clone(), |made| made.display().to_string());
        run(promtool, &["test", "rules", &path], bundle, file, &mut findings);
        made.map(std::fs::remove_file);
    }
    findings
}

/// Whether a shell can read every script.
pub(crate) fn shell_syntax(bundle: &Bundle) -> Findings {
    let mut findings = Findings::default();
    let scripts = bundle.list("", &[".sh"]);
    for script in ["scripts/load.sh", "scripts/drill.sh"] {
        findings.expect(scripts.iter().any(|found| found == script), script, "", "is missing");
    }
    for script in &scripts {
        let text = bundle.text(script, &mut findings).unwrap_or_default();
        findings.expect(text.starts_with("#!/bin/sh\n"), script, "line 1", "must be #!/bin/sh: plain sh everywhere");
        run("sh", &["-n", script], bundle, script, &mut findings);
    }
    findings
}

/// What shellcheck says about every script.
pub(crate) fn shellcheck(shellcheck: &str, bundle: &Bundle) -> Findings {
    let mut findings = Findings::default();
    for script in bundle.list("", &[".sh"]) {
        run(shellcheck, &["--severity=warning", &script], bundle, &script, &mut findings);
    }
    findings
}

fn run(program: &str, arguments: &[&str], bundle: &Bundle, file: &str, findings: &mut Findings) {
    match Command::new(program).args(arguments).current_dir(bundle.root()).output() {
        Ok(output) if output.status.success() => {}
        Ok(output) => {
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said);
            findings.add(file, "", format!("{program} {} failed: {}", arguments.join(" "), said.trim()));
        }
        Err(error) => findings.add(file, "", format!("{program} does not start: {error}")),
    }
}
