//! Pods, and how they begin, end and are reached.

use serde_json::{Value, json};

use crate::files::items;
use crate::helm::{Helm, KUBERNETES};

#[test]
fn your_own_image_needs_two_values() {
    let Some(helm) = Helm::find() else { return };
    let image = json!({"image": {"repository": "registry.example.org/shop", "tag": "1.4.2"}});
    let objects = helm.render(image);
    assert_eq!(objects.container()["image"], "registry.example.org/shop:1.4.2");
    assert_eq!(objects.variable("OTEL_SERVICE_NAME"), Some("shop"));
    let own = helm.render(json!({}));
    assert_eq!(own.container()["image"], concat!("redpane:", env!("CARGO_PKG_VERSION")));
    let digest = format!("sha256:{}", "0".repeat(64));
    let pinned = helm.render(json!({"image": {"digest": digest}}));
    assert!(pinned.container()["image"].as_str().is_some_and(|image| image.ends_with(&format!("@{digest}"))));
}

#[test]
fn a_pod_can_write_nothing_and_is_nobody() {
    let Some(helm) = Helm::find() else { return };
    let objects = helm.everything();
    let test = objects.one("Pod");
    for (pod, container) in [(objects.pod(), objects.container()), (&test["spec"], &test["spec"]["containers"][0])] {
        assert_eq!(pod["automountServiceAccountToken"], false);
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
        assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
        let context = &container["securityContext"];
        assert_eq!(context["readOnlyRootFilesystem"], true);
        assert_eq!(context["allowPrivilegeEscalation"], false);
        assert_eq!(context["capabilities"]["drop"], json!(["ALL"]));
        assert!(container["resources"]["limits"]["memory"].is_string());
        assert!(container["resources"]["requests"]["cpu"].is_string());
    }
}

#[test]
fn a_pod_is_asked_before_it_gets_requests_and_pauses_before_it_ends() {
    let Some(helm) = Helm::find() else { return };
    let objects = helm.render(json!({}));
    let container = objects.container();
    for (probe, path) in [("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")] {
        assert_eq!(container[probe]["httpGet"], json!({"path": path, "port": "http"}), "{probe}");
    }
    assert_eq!(container["lifecycle"], json!({"preStop": {"sleep": {"seconds": 5}}}));
    // A pause of 5 s, a grace of 25 s, 20 s for the last scrape and 10 s for the last lines and spans.
    assert_eq!(objects.pod()["terminationGracePeriodSeconds"], 60);
    let strategy = &objects.one("Deployment")["spec"]["strategy"]["rollingUpdate"];
    assert_eq!(strategy["maxUnavailable"], 0, "an update takes none away before its successor is ready");
}

#[test]
fn the_end_of_a_pod_has_time_for_pause_and_grace() {
    let Some(helm) = Helm::find() else { return };
    for (values, kubernetes, pause, seconds) in [
        (json!({"settings": {"REDPANE_SHUTDOWN_GRACE": "1m 30s"}}), "1.34.0", json!({"sleep": {"seconds": 5}}), 125),
        (json!({"settings": {"REDPANE_SHUTDOWN_GRACE": "1500ms"}}), "1.30.0", json!({"sleep": {"seconds": 5}}), 37),
        (json!({"settings": {"REDPANE_SHUTDOWN_GRACE": null}}), KUBERNETES, json!({"sleep": {"seconds": 5}}), 60),
        (json!({"settings": {"REDPANE_LAST_SCRAPE": null}}), KUBERNETES, json!({"sleep": {"seconds": 5}}), 60),
        (json!({"settings": {"REDPANE_LAST_SCRAPE": "0s"}}), KUBERNETES, json!({"sleep": {"seconds": 5}}), 40),
        (json!({"serviceMonitor": {"interval": "30s"}}), KUBERNETES, json!({"sleep": {"seconds": 5}}), 75),
        (json!({"settings": {"REDPANE_LAST_SCRAPE": "1m"}}), KUBERNETES, json!({"sleep": {"seconds": 5}}), 100),
        (json!({"shutdown": {"pauseBy": "none"}}), KUBERNETES, Value::Null, 55),
        (json!({"shutdown": {"pauseSeconds": 0}}), KUBERNETES, Value::Null, 55),
        (
            json!({"shutdown": {"pauseSeconds": 8}}),
            "1.29.0",
            json!({"exec": {"command": ["/usr/local/bin/redpane", "pause", "8s"]}}),
            63,
        ),
        (
            json!({"lifecycle": {"preStop": {"exec": {"command": ["/stop"]}}}}),
            "1.21.0",
            json!({"exec": {"command": ["/stop"]}}),
            60,
        ),
    ] {
        let objects = helm.render_for(values.clone(), kubernetes, &[]);
        assert_eq!(objects.container()["lifecycle"]["preStop"], pause, "{values}");
        assert_eq!(objects.pod()["terminationGracePeriodSeconds"], seconds, "{values}");
    }
}

#[test]
fn pods_are_spread_and_leave_a_dead_node_soon() {
    let Some(helm) = Helm::find() else { return };
    let objects = helm.render(json!({"tolerations": [{"key": "spot", "operator": "Exists"}]}));
    let pod = objects.pod();
    let spread = items(&pod["topologySpreadConstraints"]);
    // One alone: where nodes have no zone, a second constraint by zones would keep the scheduler from spreading pods at all.
    let keys: Vec<&str> = spread.iter().filter_map(|constraint| constraint["topologyKey"].as_str()).collect();
    assert_eq!(keys, ["kubernetes.io/hostname"]);
    let labels = &objects.one("Deployment")["spec"]["selector"]["matchLabels"];
    assert!(spread.iter().all(|constraint| &constraint["labelSelector"]["matchLabels"] == labels));
    let preferred = &pod["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"];
    let term = &items(preferred)[0]["podAffinityTerm"];
    assert_eq!(term["topologyKey"], "topology.kubernetes.io/zone");
    assert_eq!(&term["labelSelector"]["matchLabels"], labels);
    let leaves =
        |key: &str| items(&pod["tolerations"]).iter().any(|it| it["key"] == key && it["tolerationSeconds"] == 30);
    assert!(leaves("node.kubernetes.io/not-ready") && leaves("node.kubernetes.io/unreachable"));
    assert!(items(&pod["tolerations"]).iter().any(|toleration| toleration["key"] == "spot"));
    let budget = objects.one("PodDisruptionBudget");
    assert_eq!((&budget["spec"]["maxUnavailable"], &budget["spec"]["selector"]["matchLabels"]), (&json!(1), labels));
}

#[test]
fn a_pod_waits_for_its_last_scrape_longer_than_the_interval() {
    let Some(helm) = Helm::find() else { return };
    for (values, wait) in [
        (json!({}), "20s"),
        (json!({"serviceMonitor": {"interval": "1m"}}), "65s"),
        (json!({"settings": {"REDPANE_LAST_SCRAPE": "0s"}}), "0s"),
        (json!({"settings": {"REDPANE_LAST_SCRAPE": "45s"}, "serviceMonitor": {"interval": "30s"}}), "45s"),
    ] {
        let objects = helm.render(values.clone());
        let variables = items(&objects.container()["env"]);
        let set: Vec<_> = variables.iter().filter(|it| it["name"] == "REDPANE_LAST_SCRAPE").collect();
        assert_eq!((set.len(), &set[0]["value"]), (1, &json!(wait)), "{values}");
    }
}

#[test]
fn what_the_values_say_of_a_pod_replaces_what_the_chart_says() {
    let Some(helm) = Helm::find() else { return };
    let given = json!({
        "podAnnotations": {"prometheus.io/scrape": "false", "own": "1"}, "serviceMonitor": {"interval": "1h"},
        "lifecycle": {"preStop": {"sleep": {"seconds": 50}}}, "terminationGracePeriodSeconds": 3700,
        "updateStrategy": {"type": "Recreate"},
    });
    let text = helm.text(&given, KUBERNETES, &[]).expect("right values");
    assert_eq!(text.matches("prometheus.io/scrape:").count(), 1, "a key of YAML is there once");
    let objects = helm.render(given);
    let deployment = objects.one("Deployment");
    let annotations = &deployment["spec"]["template"]["metadata"]["annotations"];
    assert_eq!((&annotations["prometheus.io/scrape"], &annotations["own"]), (&json!("false"), &json!("1")));
    assert_eq!(annotations["prometheus.io/path"], "/metrics");
    assert_eq!(deployment["spec"]["strategy"], json!({"type": "Recreate"}), "Kubernetes refuses more beside it");
    assert_eq!(objects.pod()["terminationGracePeriodSeconds"], 3700);
    let wait = items(&objects.container()["env"]).iter().find(|it| it["name"] == "REDPANE_LAST_SCRAPE");
    assert_eq!(wait.map(|it| &it["value"]), Some(&json!("3600s")), "no more than the service takes");
}

#[test]
fn affinity_of_the_values_stays() {
    let Some(helm) = Helm::find() else { return };
    let own = json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
        {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}]}}});
    let affinity = helm.render(json!({ "affinity": own })).pod()["affinity"].clone();
    assert_eq!(affinity["nodeAffinity"], own["nodeAffinity"]);
    assert!(affinity["podAntiAffinity"].is_object(), "{affinity}");
    let apart = json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": []}});
    assert_eq!(helm.render(json!({ "affinity": apart })).pod()["affinity"], apart);
    for without in [json!({"spread": {"enabled": false}}), json!({"spread": {"zones": false}, "affinity": null})] {
        assert_eq!(helm.render(without).pod()["affinity"], Value::Null);
    }
    let keys = |kubernetes| {
        let objects = helm.render_for(json!({"affinity": null}), kubernetes, &[]);
        let preferred =
            objects.pod()["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"].clone();
        preferred[0]["podAffinityTerm"]["matchLabelKeys"].clone()
    };
    assert_eq!((keys("1.30.0"), keys("1.31.0")), (Value::Null, json!(["pod-template-hash"])));
}

#[test]
fn settings_and_variables_reach_the_service() {
    let Some(helm) = Helm::find() else { return };
    let objects = helm.render(json!({
        "app": "orders", "containerPort": 8080, "metrics": {"port": 9000}, "tracing": {"endpoint": "http://alloy:4318"},
        "settings": {
            "REDPANE_MAX_CONNECTIONS": 1_000_000, "REDPANE_ACCESS_SAMPLE": 0.25, "REDPANE_FAULTS": true,
            "REDPANE_UPSTREAM": "http://stock:8000",
        },
        "env": [{"name": "DATABASE", "valueFrom": {"secretKeyRef": {"name": "db", "key": "url"}}}, {"name": "LAST", "value": "1"}],
    }));
    for (name, value) in [
        ("OTEL_SERVICE_NAME", "orders"),
        ("REDPANE_LISTEN", "0.0.0.0:8080"),
        ("REDPANE_METRICS_LISTEN", "0.0.0.0:9000"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://alloy:4318"),
        ("REDPANE_MAX_CONNECTIONS", "1000000"),
        ("REDPANE_ACCESS_SAMPLE", "0.25"),
        ("REDPANE_FAULTS", "true"),
        ("REDPANE_UPSTREAM", "http://stock:8000"),
        ("REDPANE_CLIENT_MEMORY", "64MiB"),
        ("LAST", "1"),
    ] {
        assert_eq!(objects.variable(name), Some(value), "{name}");
    }
    let attributes = objects.variable("OTEL_RESOURCE_ATTRIBUTES").expect("spans say where they come from");
    assert_eq!(attributes, "k8s.namespace.name=$(POD_NAMESPACE),k8s.pod.name=$(POD_NAME),k8s.node.name=$(NODE_NAME)");
    let names: Vec<&Value> = items(&objects.container()["env"]).iter().map(|variable| &variable["name"]).collect();
    let unique: std::collections::BTreeSet<String> = names.iter().map(ToString::to_string).collect();
    assert_eq!(names.len(), unique.len(), "{names:?}");
}
