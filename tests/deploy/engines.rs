//! deploy/kubernetes: what is applied as it stands is valid, and has the labels and rules of the bundle.

use std::process::Command;

use serde_json::Value;

use crate::files::{self, CHART, items, names, texts, yaml};
use crate::helm::{installed, skip};
use crate::kubeconform::Kubeconform;

const FOLDER: &str = "deploy/kubernetes";
/// Folders that `kubectl kustomize` makes into objects.
const KUSTOMIZATIONS: [&str; 3] = ["alloy", "prometheus", "thanos"];

#[test]
fn values_of_charts_are_yaml_and_pin_nothing_to_a_moving_tag() {
    for name in names(FOLDER).into_iter().filter(|name| name.ends_with(".yaml")) {
        let values = yaml(&format!("{FOLDER}/{name}"));
        assert!(values.is_object(), "{name}");
        // Sizes for 2,000 pods come on top of those for 20.
        if let Some(base) = name.strip_suffix(".2000.values.yaml") {
            let base = yaml(&format!("{FOLDER}/{base}.values.yaml"));
            for key in values.as_object().expect("a mapping").keys() {
                assert!(!base[key].is_null(), "{name}: {key} is not in the values for 20 pods");
            }
        }
        assert!(!values.to_string().contains(":latest"), "{name}");
    }
}

#[test]
fn the_objects_of_every_folder_are_valid() {
    if !installed("kubectl", "kustomize") && !installed("kubectl", "options") {
        return skip("kubectl");
    }
    let Some(kubeconform) = Kubeconform::find() else { return };
    for folder in KUSTOMIZATIONS {
        let made = Command::new("kubectl")
            .args(["kustomize", "--load-restrictor", "LoadRestrictionsNone"])
            .arg(files::path(&format!("{FOLDER}/{folder}")))
            .output()
            .expect("kubectl starts");
        assert!(made.status.success(), "{folder}: {}", String::from_utf8_lossy(&made.stderr));
        let objects = String::from_utf8(made.stdout).expect("objects are text");
        kubeconform.check(&objects, "1.36.0").unwrap_or_else(|said| panic!("{folder}: {said}"));
        for object in files::documents(&objects, folder) {
            containers(&object);
        }
    }
}

/// Pinned, bounded, and without what it does not need.
pub(crate) fn containers(object: &Value) {
    for container in items(&object["spec"]["template"]["spec"]["containers"]) {
        let image = container["image"].as_str().expect("an image");
        let tag = image.rsplit_once(':').map_or("", |(_, tag)| tag);
        assert!(tag.contains('.'), "{image} is not pinned");
        assert!(container["resources"]["limits"]["memory"].is_string(), "{image} has no limit of memory");
        assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true, "{image}");
        assert_eq!(container["securityContext"]["allowPrivilegeEscalation"], false, "{image}");
        assert!(!container["readinessProbe"].is_null(), "{image}");
    }
}

#[test]
fn prometheus_gives_targets_the_labels_of_lines() {
    let prometheus = yaml(&format!("{FOLDER}/prometheus/prometheus.yml"));
    let pods =
        items(&prometheus["scrape_configs"]).iter().find(|job| job["job_name"] == "pods").expect("a job for pods");
    let rules = items(&pods["relabel_configs"]);
    for label in ["app", "instance", "namespace", "pod", "node"] {
        assert!(rules.iter().any(|rule| rule["target_label"] == label), "{label}");
    }
    // Dashboards know one name for what a collector drops.
    let bundle = yaml("prometheus.yml");
    let collector = items(&bundle["scrape_configs"]).iter().find(|job| job["job_name"] == "promtail");
    let renamed = &collector.expect("a job for the collector")["metric_relabel_configs"][0];
    assert_eq!(items(&pods["metric_relabel_configs"]), std::slice::from_ref(renamed));
    // The annotations by which it finds them are those of the chart.
    let template = files::text(&format!("{CHART}/templates/_helpers.tpl"));
    for annotation in ["scrape", "port", "path"] {
        let label = format!("__meta_kubernetes_pod_annotation_prometheus_io_{annotation}");
        assert!(rules.iter().any(|rule| texts(&rule["source_labels"]) == [label.as_str()]), "{label}");
        assert!(template.contains(&format!("\"prometheus.io/{annotation}\"")), "{annotation}");
    }
    let kustomization = yaml(&format!("{FOLDER}/prometheus/kustomization.yaml"));
    assert!(kustomization.to_string().contains("../../../prometheus-rules.yml"), "the rules are the bundle's own");
    let image = |file: &str, path: &str| yaml(file).pointer(path).cloned().expect("an image");
    assert_eq!(
        image(&format!("{FOLDER}/prometheus/statefulset.yaml"), "/spec/template/spec/containers/0/image"),
        image("docker-compose.yml", "/services/prometheus/image"),
    );
}

#[test]
fn the_hpas_metric_is_the_one_that_the_adapter_makes() {
    let adapter = yaml(&format!("{FOLDER}/prometheus-adapter.values.yaml"));
    let rule = &adapter["rules"]["custom"][0];
    let values = yaml(&format!("{CHART}/values.yaml"));
    assert_eq!(rule["name"]["as"], values["autoscaling"]["requestsMetric"]);
    assert!(rule["metricsQuery"].as_str().is_some_and(|query| query.contains("route!~\"/metrics|/healthz|/readyz\"")));
}
