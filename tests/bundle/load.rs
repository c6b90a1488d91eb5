//! `scripts/load.sh` says in one line what it lacks.

use std::path::PathBuf;
use std::process::Command;

use crate::files::Bundle;
use crate::findings::Findings;

/// Runs the script with a `curl` that only says its version.
#[cfg(unix)]
fn with_curl(version: &str) -> (Option<i32>, String) {
    use std::os::unix::fs::PermissionsExt;
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("curl-{}-{version}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    let curl = folder.join("curl");
    let script = format!(
        "#!/bin/sh\n[ \"$1\" != --version ] || {{ echo 'curl {version} (x86_64) libcurl'; exit 0; }}\nexit 7\n"
    );
    std::fs::write(&curl, script).expect("the file can be written");
    std::fs::set_permissions(&curl, std::fs::Permissions::from_mode(0o755)).expect("it has modes");
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("sh")
        .arg(Bundle::repository().root().join("scripts/load.sh"))
        .env("PATH", format!("{}:{path}", folder.display()))
        .output()
        .expect("sh starts");
    drop(std::fs::remove_dir_all(&folder));
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// One time in five, at any rate a second.
#[test]
fn one_request_in_five_passes_through_all_services() {
    let script = Bundle::repository().text("scripts/load.sh", &mut Findings::default()).expect("it is there");
    let kinds =
        script.lines().find_map(|line| line.trim().strip_suffix(r#") printf 'url = "%s/checkout"\n' "$URL" ;;"#));
    let kinds: Vec<u32> = kinds.expect("a line").split(" | ").map(|kind| kind.parse().expect("a number")).collect();
    assert!(script.contains("$(((number + second) % 20))") && kinds.len() == 4, "{kinds:?} of 20");
    assert!(kinds.iter().all(|kind| kind % 5 == kinds[0] % 5), "evenly: {kinds:?}");
}

#[cfg(unix)]
#[test]
fn a_curl_without_parallel_is_named_with_the_version_that_is_needed() {
    for version in ["7.65.3", "7.58.0", "7.9.8", "6.5.1"] {
        let (code, said) = with_curl(version);
        assert_eq!(code, Some(64), "{version}: {said}");
        assert!(said.contains("is too old: 7.66 or newer is needed"), "{version}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    for version in ["7.66.0", "7.88.1", "8.5.0", "10.0.1"] {
        let (_, said) = with_curl(version);
        assert!(said.contains("does not answer"), "{version}: {said}");
    }
}
