//! deploy/test/run: what it says where something is missing, its scripts and sums, and the workflow that runs it.

use std::path::PathBuf;
use std::process::{Command, Output};

use crate::files::{self, items, yaml};
use crate::helm::{installed, skip};

const RUN: &str = "deploy/test/run";

/// A folder with these programs of this machine and no others.
fn path_with(name: &str, programs: &[&str]) -> PathBuf {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::remove_dir_all(&folder).ok();
    std::fs::create_dir_all(&folder).expect("the folder for temporary files can be written");
    for program in programs {
        let found = std::env::split_paths(&std::env::var_os("PATH").expect("a PATH"))
            .map(|each| each.join(program))
            .find(|each| each.is_file())
            .unwrap_or_else(|| panic!("{program} is not on the PATH"));
        std::os::unix::fs::symlink(found, folder.join(program)).expect("a link can be made");
    }
    folder
}

fn run(arguments: &[&str], path: &std::path::Path) -> (Option<i32>, String) {
    let Output { status, stderr, stdout } = Command::new("/bin/bash")
        .arg(files::path(RUN))
        .args(arguments)
        .env("PATH", path)
        .output()
        .expect("bash starts");
    (status.code(), format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr)))
}

#[test]
fn it_says_what_is_missing_and_what_is_wrong() {
    let bare = path_with("bare", &["dirname", "sed", "realpath"]);
    let (code, said) = run(&[], &bare);
    assert_eq!(code, Some(69), "{said}");
    for tool in ["kubectl", "helm", "python3"] {
        assert!(said.contains(tool), "{tool}: {said}");
    }
    for (arguments, named) in [
        (&["counts", "nonsense"][..], "nonsense"),
        (&["--collector", "vector"], "vector"),
        (&["--pods", "many"], "many"),
        (&["--image", "redpane"], "redpane"),
        (&["--rate"], "--rate"),
    ] {
        let (code, said) = run(arguments, &bare);
        assert_eq!(code, Some(64), "{arguments:?}: {said}");
        assert!(said.contains(named), "{arguments:?}: {said}");
    }
    let (code, said) = run(&["--help"], &bare);
    assert_eq!(code, Some(0), "{said}");
    for word in ["counts", "--keep", "REDPANE_TEST_KILL_NODE", "69"] {
        assert!(said.contains(word), "{word}: {said}");
    }
}

/// kubectl of a cluster that nobody has: two of its three nodes take pods where `TAINTED` is set.
const KUBECTL: &str = r#"#!/bin/bash
node() { echo "{\"metadata\": {\"name\": \"$1\", \"labels\": {}}, \"spec\": {\"taints\": [$2]}, \"status\": {\"conditions\": [{\"type\": \"Ready\", \"status\": \"True\"}]}}"; }
taint=${TAINTED:+'{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}'}
case "$*" in
  "config current-context") [ -n "$CONTEXT" ] && echo "$CONTEXT" ;;
  "get --raw /readyz") [ "$CONTEXT" != kind-away ] ;;
  "get nodes --output json") echo "{\"items\": [$(node one "$taint"), $(node two), $(node three)]}" ;;
  "get namespace "*) echo namespace/redpane-proof ;;
  *) echo "kubectl $*" >&2; exit 1 ;;
esac
"#;

#[test]
fn it_touches_no_cluster_that_is_not_for_tests_and_nothing_that_was_there() {
    if !installed("python3", "--version") {
        return skip("python3");
    }
    let folder = path_with("cluster", &[]);
    for (name, text) in [("kubectl", KUBECTL), ("helm", "#!/bin/bash\n"), ("docker", "#!/bin/bash\n")] {
        let file = folder.join(name);
        std::fs::write(&file, text).expect("the folder for temporary files can be written");
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("it is ours");
    }
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").expect("a PATH"));
    for (context, tainted, said) in [
        ("", "", "kubectl has no context"),
        ("kind-away", "", "does not answer"),
        ("production", "", "--yes-this-cluster"),
        ("kind-small", "yes", "kind-small has 2"),
        ("kind-used", "", "there is a namespace redpane-proof already"),
    ] {
        let output = Command::new("/bin/bash")
            .arg(files::path(RUN))
            .env("PATH", &path)
            .env("CONTEXT", context)
            .env("TAINTED", tainted)
            .output()
            .expect("bash starts");
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(69), "{context}: {error}");
        assert!(error.contains(said), "{context}: {error}");
        assert!(!error.contains("== clean"), "{context}: {error}");
    }
}

#[test]
fn its_scripts_are_valid() {
    if !installed("shellcheck", "--version") {
        return skip("shellcheck");
    }
    let scripts = [RUN, "deploy/test/cluster.bash"].map(files::path);
    let checked = Command::new("shellcheck")
        .arg("-x")
        .args(scripts)
        .current_dir(files::path("."))
        .output()
        .expect("shellcheck starts");
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
}

#[test]
fn its_sums_are_right() {
    if !installed("python3", "--version") {
        return skip("python3");
    }
    let tested = Command::new("python3")
        .args(["-m", "unittest", "proof.tests", "proof.tests_load"])
        .current_dir(files::path("deploy/test"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .expect("python3 starts");
    assert!(tested.status.success(), "{}", String::from_utf8_lossy(&tested.stderr));
}

#[test]
fn a_workflow_runs_all_of_it_with_alloy() {
    let workflow = yaml(".github/workflows/cluster.yml");
    let steps = items(&workflow["jobs"]["proof"]["steps"]);
    let command = steps.iter().find_map(|step| step["run"].as_str().filter(|run| run.contains(RUN)));
    let command = command.unwrap_or_else(|| panic!("no step runs {RUN}"));
    assert!(!command.contains("promtail"), "{command}");
    assert!(files::text(".github/workflows/cluster.yml").contains("role: worker}, {role: worker}, {role: worker}"));
}
