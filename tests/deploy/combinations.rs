//! The chart in every combination of its switches, against the schemas of Kubernetes.

use std::collections::BTreeSet;
use std::num::NonZero;

use serde_json::{Value, json};

use crate::files;
use crate::helm::{Helm, KUBERNETES, OPERATOR};
use crate::kubeconform::Kubeconform;

/// Kubernetes 1.21 is the oldest that the chart says it runs on; 1.22 still has the old HPA, 1.25 the new; 1.30 brings preStop's sleep.
const VERSIONS: [&str; 5] = ["1.21.0", "1.22.0", "1.25.0", "1.30.0", "1.36.0"];

/// Each switch with the values it can have, as a path and what stands there.
fn switches() -> Vec<(&'static str, Vec<Value>)> {
    let on_off = || vec![json!(true), json!(false)];
    vec![
        (
            "/autoscaling",
            vec![
                json!({"enabled": false}),
                json!({"enabled": true}),
                json!({"enabled": true, "cpuPercent": null, "requestsPerSecond": 50}),
                json!({"enabled": true, "requestsPerSecond": 0.5}),
            ],
        ),
        (
            "/networkPolicy",
            vec![
                json!({"enabled": false}),
                json!({"enabled": true}),
                json!({"enabled": true, "from": [{"podSelector": {}}], "egress": []}),
            ],
        ),
        ("/metrics", vec![json!({"port": null}), json!({"port": 9000})]),
        (
            "/prometheusRule",
            vec![json!({"enabled": "auto"}), json!({"enabled": true}), json!({"enabled": true, "alerts": true})],
        ),
        ("/serviceMonitor/enabled", vec![json!("auto"), json!(true)]),
        ("/podDisruptionBudget/enabled", on_off()),
        ("/serviceAccount/create", on_off()),
        ("/spread/enabled", on_off()),
    ]
}

/// Every combination of the switches. Dashboards and alerts, half a megabyte that depends on none of them, are off.
fn combinations() -> Vec<Value> {
    let start = json!({"grafana": {"dashboards": {"enabled": false}, "alerts": {"enabled": false}}});
    let mut all = switches().into_iter().fold(vec![start], |combinations, (path, values)| {
        let with = |combination: &Value, value: &Value| {
            let mut combination = combination.clone();
            let (parent, key) = path[1..].split_once('/').unwrap_or(("", &path[1..]));
            let parent = if parent.is_empty() { &mut combination } else { &mut combination[parent] };
            parent[key] = value.clone();
            combination
        };
        combinations.iter().flat_map(|combination| values.iter().map(|value| with(combination, value))).collect()
    });
    // Who may read metrics is asked only where they have their own port.
    for combination in &mut all {
        if combination["metrics"]["port"].is_u64() && combination["networkPolicy"]["from"].is_array() {
            combination["networkPolicy"]["metricsFrom"] = json!([{"namespaceSelector": {}}]);
        }
    }
    all
}

#[test]
fn every_combination_of_switches_is_valid() {
    let Some(helm) = Helm::find() else { return };
    let Some(kubeconform) = Kubeconform::find() else { return };
    let combinations = combinations();
    assert_eq!(combinations.len(), 4 * 3 * 2 * 3 * 2 * 2 * 2 * 2);
    // Most objects come out the same in most combinations: each is checked once.
    let rendered = |part: &[Value]| -> BTreeSet<String> {
        let text =
            |values: &Value| helm.text(values, KUBERNETES, &[]).unwrap_or_else(|error| panic!("{values}: {error}"));
        part.iter().flat_map(|values| text(values).split("\n---\n").map(str::to_owned).collect::<Vec<_>>()).collect()
    };
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    let objects: BTreeSet<String> = std::thread::scope(|scope| {
        let parts = combinations.chunks(combinations.len().div_ceil(processors));
        let threads: Vec<_> = parts.map(|part| scope.spawn(|| rendered(part))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("helm takes all of them")).collect()
    });
    let all: Vec<String> = objects.into_iter().collect();
    let said = kubeconform.check(&all.join("\n---\n"), KUBERNETES).unwrap_or_else(|said| panic!("{said}"));
    assert!(said.contains("Invalid: 0, Errors: 0, Skipped: 0"), "{said}");
}

#[test]
fn every_version_of_kubernetes_gets_what_it_knows() {
    let Some(helm) = Helm::find() else { return };
    let Some(kubeconform) = Kubeconform::find() else { return };
    let mut on = json!({"autoscaling": {"enabled": true, "requestsPerSecond": 50}, "metrics": {"port": 9000}});
    for service in [
        json!({"type": "ClusterIP"}),
        json!({"type": "NodePort", "externalTrafficPolicy": "Local", "nodePort": 30080}),
        json!({"type": "LoadBalancer", "loadBalancerClass": "a/b", "loadBalancerSourceRanges": ["10.0.0.0/8"]}),
    ] {
        on["service"] = service;
        for version in VERSIONS {
            let text = helm.text(&on, version, &OPERATOR).unwrap_or_else(|error| panic!("{version}: {error}"));
            let said = kubeconform.check(&text, version).unwrap_or_else(|said| panic!("{version}, {on}: {said}"));
            assert!(said.contains("Errors: 0, Skipped: 0"), "{version}, {on}: {said}");
        }
    }
    let chart = files::yaml(&format!("{}/Chart.yaml", files::CHART));
    assert_eq!(chart["kubeVersion"], ">=1.21.0-0");
    helm.text(&on, "1.20.0", &OPERATOR).expect_err("it has no policy/v1");
}

#[test]
fn objects_of_the_operator_are_there_where_the_cluster_knows_them() {
    let Some(helm) = Helm::find() else { return };
    for (kinds, enabled, expected) in [
        (&OPERATOR[..], json!("auto"), true),
        (&[], json!("auto"), false),
        (&[], json!(true), true),
        (&OPERATOR[..], json!(false), false),
    ] {
        let values = json!({"serviceMonitor": {"enabled": enabled}, "prometheusRule": {"enabled": enabled}});
        let objects = helm.render_for(values, KUBERNETES, kinds);
        for kind in ["ServiceMonitor", "PrometheusRule"] {
            assert_eq!(objects.has(kind), expected, "{kind}, {enabled}, {kinds:?}");
        }
    }
}
