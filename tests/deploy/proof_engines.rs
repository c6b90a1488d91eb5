//! The engines that deploy/test/run installs: valid, pinned, and configured as the bundle's and those of deploy/kubernetes.

use std::process::Command;

use serde_json::Value;

use crate::engines::containers;
use crate::files::{self, documents, items, texts, yaml};
use crate::helm::{Helm, installed, skip};
use crate::kubeconform::Kubeconform;
use crate::manifests::Manifests;

const ENGINES: &str = "deploy/test/engines";
/// What is given to the chart of engines as values, by which its engines have the configurations of the bundle and of deploy/kubernetes.
const VALUES: [&str; 4] = [
    "docker-compose.yml",
    "promtail-config.yml",
    "deploy/kubernetes/loki.values.yaml",
    "deploy/kubernetes/prometheus-adapter.values.yaml",
];
const COLLECTED: [&str; 5] = ["app", "instance", "namespace", "pod", "node"];

/// The objects of the chart of engines, as text, with this collector.
fn engines(helm: &Helm, collector: &str) -> String {
    let chart = files::path(ENGINES);
    let values = VALUES.map(files::path);
    let collector = format!("proof.collector={collector}");
    let mut arguments: Vec<&dyn AsRef<std::ffi::OsStr>> =
        vec![&"template", &"engines", &chart, &"--namespace", &"redpane-proof", &"--set", &collector];
    for file in &values {
        arguments.extend([&"--values" as &dyn AsRef<std::ffi::OsStr>, file]);
    }
    helm.run(&arguments).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn its_engines_are_valid_and_those_of_the_bundle() {
    let script = files::text("deploy/test/cluster.bash");
    for file in VALUES {
        assert!(script.contains(&format!("--values \"$root/{file}\"")), "{file}");
    }
    let Some(helm) = Helm::find() else { return };
    let text = engines(&helm, "promtail");
    let objects = documents(&text, ENGINES);
    for object in &objects {
        containers(object);
    }
    let bundle = yaml("docker-compose.yml");
    let loki = yaml("deploy/kubernetes/loki.values.yaml");
    for name in ["loki", "promtail"] {
        let image = bundle["services"][name]["image"].as_str().expect("an image");
        assert!(text.contains(&format!("image: {image}\n")), "{image}");
    }
    let configuration = file_of(&text, "loki.yml");
    assert_eq!(configuration["limits_config"], loki["loki"]["limits_config"]);
    assert_eq!(configuration["schema_config"], loki["loki"]["schemaConfig"]);
    assert_eq!(configuration["compactor"]["retention_enabled"], true);
    let adapter = yaml("deploy/kubernetes/prometheus-adapter.values.yaml");
    assert_eq!(file_of(&text, "config.yaml")["rules"], adapter["rules"]["custom"]);
    assert!(
        text.contains("--prometheus-url=http://prometheus.redpane-proof.svc:9090"),
        "in the namespace of the proof"
    );
    assert!(!engines(&helm, "alloy").contains("promtail"), "one collector");
    if let Some(kubeconform) = Kubeconform::find() {
        kubeconform.check(&text, "1.36.0").unwrap_or_else(|said| panic!("{said}"));
    }
}

/// A file of a ConfigMap among these objects.
fn file_of(objects: &str, name: &str) -> Value {
    let found = Manifests::parse(objects).file(name).unwrap_or_else(|| panic!("no {name}")).to_owned();
    documents(&found, name).remove(0)
}

#[test]
fn its_promtail_has_the_stages_of_the_bundle_and_the_labels_of_alloy() {
    let Some(helm) = Helm::find() else { return };
    let promtail = file_of(&engines(&helm, "promtail"), "promtail.yml");
    let bundle = yaml("promtail-config.yml");
    let stages = items(&promtail["scrape_configs"][0]["pipeline_stages"]);
    assert!(!stages[0]["cri"].is_null(), "before anything is read of the line");
    assert_eq!(stages[1..stages.len() - 1], *items(&bundle["scrape_configs"][0]["pipeline_stages"]));
    assert_eq!(texts(&stages[stages.len() - 1]["labeldrop"]), ["stream", "flags", "filename"]);
    assert_eq!(promtail["limits_config"], bundle["limits_config"]);
    assert_eq!(promtail["clients"][0]["backoff_config"], bundle["clients"][0]["backoff_config"]);
    assert_eq!(promtail["clients"][0]["url"], "http://loki:3100/loki/api/v1/push");
    let rules = items(&promtail["scrape_configs"][0]["relabel_configs"]);
    let alloy = files::text("deploy/kubernetes/alloy/config.alloy");
    for rule in rules {
        for label in texts(&rule["source_labels"]) {
            assert!(alloy.contains(&format!("\"{label}\"")), "Alloy knows no {label}");
        }
        if let Some(path) = rule["replacement"].as_str() {
            assert!(alloy.contains(&format!("\"{path}\"")), "Alloy reads no {path}");
        }
    }
    for label in COLLECTED.into_iter().chain(["container", "__path__"]) {
        assert!(rules.iter().any(|rule| rule["target_label"] == label), "{label}");
        assert!(alloy.contains(&format!("target_label  = \"{label}\"")), "{label}");
    }
}

#[test]
fn its_overlays_move_everything_into_one_namespace() {
    if !installed("kubectl", "options") {
        return skip("kubectl");
    }
    for folder in ["prometheus", "alloy"] {
        let made = Command::new("kubectl")
            .args(["kustomize", "--load-restrictor", "LoadRestrictionsNone"])
            .arg(files::path(&format!("deploy/test/{folder}")))
            .output()
            .expect("kubectl starts");
        assert!(made.status.success(), "{folder}: {}", String::from_utf8_lossy(&made.stderr));
        let text = String::from_utf8(made.stdout).expect("objects are text");
        for object in documents(&text, folder) {
            containers(&object);
            for subject in items(&object["subjects"]) {
                assert_eq!(subject["namespace"], "redpane-proof", "{folder}: {subject}");
            }
        }
        if let Some(kubeconform) = Kubeconform::find() {
            kubeconform.check(&text, "1.36.0").unwrap_or_else(|said| panic!("{folder}: {said}"));
        }
    }
}
