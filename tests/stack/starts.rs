//! What must not be collected, and what must not start.

use std::path::Path;

use crate::bundle::{Bundle, docker, eventually};
use crate::traffic::send_mix;

/// A container of nobody's project with the label that Promtail looks for.
pub(crate) fn other_projects_are_not_collected(bundle: &Bundle) {
    let name = format!("redpane-test-stranger-{}", std::process::id());
    let run = ["run", "-d", "--rm", "--name", &name, "--label", "logging_job=api", "redpane:local"];
    let output = docker(&run).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // Its first line was written before these, so it would be there when they are.
    let sent = send_mix(bundle, "apart", 16);
    bundle.expect_lines("apart", &sent);
    let strangers = bundle.logql(&format!(r#"sum(count_over_time({{container="{name}"}}[1h]))"#));
    drop(docker(&["rm", "--force", &name]));
    assert!(strangers.is_empty(), "lines of another project were collected: {strangers:?}");
}

/// Whoever starts the bundle with `-d --wait` sees only what Compose itself prints.
pub(crate) fn what_cannot_work_ends_the_start_with_a_message(bundle: &Bundle) {
    let other = bundle.other();
    let bad = [("LOKI_RETENTION", "1h"), ("GRAFANA_ANONYMOUS", "yes"), ("REDPANE_BODY_LIMIT", "3x")];
    let said = other.compose_fails(&bad, &["up", "-d", "--wait"]);
    for expected in [
        r#"LOKI_RETENTION is "1h": must be a duration of at least 24h"#,
        r#"GRAFANA_ANONYMOUS is "yes": must be true or false"#,
        r#"REDPANE_BODY_LIMIT is "3x": must be a size"#,
    ] {
        assert!(said.contains(expected), "{expected} is not on the terminal: {said}");
    }
    assert!(other.containers().is_empty(), "nothing may be started");

    let missing = format!("/tmp/{}-no-docker.sock", std::process::id());
    let said = other.compose_fails(&[("DOCKER_SOCKET", &missing)], &["up", "-d", "--wait", "docker-reader"]);
    assert!(said.contains(&missing), "the path is not on the terminal: {said}");
    assert!(!Path::new(&missing).exists(), "Docker left a folder at {missing}");
    other.compose(&["down", "--volumes", "--timeout", "5"]);
    blind(&other);
}

/// A file where the socket should be: the start fails, and says what to set.
fn blind(other: &Bundle) {
    let file = std::env::temp_dir().join(format!("{}-no-socket", std::process::id()));
    std::fs::write(&file, "").unwrap();
    let socket = file.to_string_lossy().into_owned();
    let said = other.compose_fails(&[("DOCKER_SOCKET", &socket)], &["up", "-d", "--wait", "docker-reader"]);
    assert!(said.contains("docker-reader") && said.contains("unhealthy"), "{said}");
    let container = other.containers()[0]["Name"].as_str().unwrap().to_owned();
    eventually("the health check says what to set", 30, || {
        let output = docker(&["inspect", "--format", "{{json .State.Health}}", &container]).unwrap();
        let health = String::from_utf8_lossy(&output.stdout).into_owned();
        if health.contains("set DOCKER_SOCKET in .env") { Ok(()) } else { Err(health) }
    });
    other.compose(&["down", "--volumes", "--timeout", "5"]);
    std::fs::remove_file(&file).unwrap();
}
