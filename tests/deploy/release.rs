//! The workflows of a release: where things go is said once, and what they change exists.

use crate::files::{self, CHART, yaml};

const RELEASE: &str = ".github/workflows/release.yml";

#[test]
fn one_variable_says_where_images_and_charts_go() {
    let text = files::text(RELEASE);
    let guesses: Vec<&str> = text.lines().filter(|line| line.contains("ghcr.io")).collect();
    assert_eq!(guesses.len(), 1, "{guesses:?}");
    assert!(guesses[0].contains("vars.REDPANE_REGISTRY ||"), "{guesses:?}");
    let chart = files::text(&format!("{CHART}/values.yaml"));
    let compose = files::text("docker-compose.yml");
    for (name, text) in [("values.yaml", &chart), ("docker-compose.yml", &compose)] {
        assert!(!text.contains("ghcr.io"), "{name} guesses a registry");
    }
    let api = &yaml("docker-compose.yml")["services"]["api"];
    assert_eq!(api["image"], "${REDPANE_IMAGE:-redpane:local}");
    assert_eq!(api["pull_policy"], "missing", "a published image needs no build");
}

#[test]
fn the_line_that_a_release_replaces_is_there() {
    // What its `sed` looks for; it stands once, so that the image of `helm test` stays what it is.
    let chart = files::text(&format!("{CHART}/values.yaml"));
    assert_eq!(chart.lines().filter(|line| *line == "  repository: redpane").count(), 1);
    assert!(files::text(RELEASE).contains(r"s|^  repository: redpane\$|"));
}

#[test]
fn what_is_published_is_built_by_the_release_alone() {
    let release = yaml(RELEASE);
    assert_eq!(release["permissions"]["contents"], "read");
    for job in ["build", "crate"] {
        assert!(files::texts(&release["jobs"][job]["needs"]).contains(&"ci"), "{job} does not wait for the tests");
    }
    assert_eq!(release["jobs"]["ci"]["uses"], "./.github/workflows/ci.yml");
    let text = files::text(RELEASE);
    for part in ["provenance: mode=max", "sbom: true", "cosign sign", "attest-build-provenance"] {
        assert!(text.contains(part), "{part}");
    }
}
