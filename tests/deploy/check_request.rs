//! `helm test`: who may reach the service, and the script of the test against the real one.

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use test_support::process::{Reading, listening, run, service};

use crate::files::{self, CHART, items};
use crate::helm::{Helm, installed};

#[test]
fn the_pod_of_helm_test_belongs_to_nobody_and_reaches_the_service() {
    let Some(helm) = Helm::find() else { return };
    let peers = json!([{"podSelector": {"matchLabels": {"tier": "web"}}}]);
    let objects =
        helm.render(json!({"metrics": {"port": 9000}, "networkPolicy": {"from": peers, "metricsFrom": peers}}));
    let test = objects.one("Pod");
    assert_eq!(test["metadata"]["annotations"]["helm.sh/hook"], "test");
    let labels = test["metadata"]["labels"].as_object().expect("labels");
    // A pod without a CPU request among those that an HPA selects would keep it from scaling, and a Service would send it requests.
    let selected = objects.one("Deployment")["spec"]["selector"]["matchLabels"].clone();
    let selected = selected.as_object().expect("labels");
    assert!(selected.iter().any(|(name, value)| labels.get(name) != Some(value)), "{labels:?}");
    let ingress = items(&objects.one("NetworkPolicy")["spec"]["ingress"]).to_vec();
    assert_eq!(ingress.len(), 2);
    for rule in &ingress {
        let admits = |peer: &Value| {
            let wanted = peer["podSelector"]["matchLabels"].as_object();
            wanted.is_some_and(|wanted| wanted.iter().all(|(name, value)| labels.get(name) == Some(value)))
        };
        assert!(items(&rule["from"]).iter().any(admits), "{rule}");
        assert_eq!(rule["from"][0], peers[0]);
    }
    assert_eq!(test["spec"]["activeDeadlineSeconds"], 180, "with an image that cannot be had the script does not end");
    let container = &test["spec"]["containers"][0];
    let script = container["args"][0].as_str().expect("a script");
    assert_eq!(script.trim_end(), files::text(&format!("{CHART}/files/test.sh")).trim_end());
    let variable = |name: &str| {
        items(&container["env"])
            .iter()
            .find(|variable| variable["name"] == name)
            .map(|variable| variable["value"].clone())
    };
    assert_eq!(variable("REQUEST"), Some(json!("http://shop:8000/")));
    assert_eq!(variable("METRICS"), Some(json!("http://shop:9000/metrics")));
}

/// A port of metrics of its own is for those who may not call from outside.
#[test]
fn an_own_port_of_metrics_is_not_published_with_the_api() {
    let Some(helm) = Helm::find() else { return };
    let ports = |service: &Value| -> Vec<String> {
        items(&service["spec"]["ports"]).iter().map(|port| port["name"].as_str().expect("a name").to_owned()).collect()
    };
    let inside = helm.render(json!({"metrics": {"port": 9000}}));
    assert_eq!(ports(inside.one("Service")), ["http", "metrics"]);
    for published in ["NodePort", "LoadBalancer"] {
        let objects = helm.render(json!({"metrics": {"port": 9000}, "service": {"type": published}}));
        let services = objects.of("Service");
        let shown =
            |service: &&Value| (service["metadata"]["name"].clone(), service["spec"]["type"].clone(), ports(service));
        let found: Vec<_> = services.iter().map(shown).collect();
        let expected = [
            (json!("shop"), json!(published), vec!["http".to_owned()]),
            (json!("shop-metrics"), json!("ClusterIP"), vec!["metrics".to_owned()]),
        ];
        assert_eq!(found, expected);
        // The ServiceMonitor finds both by their labels, and one of them has the port.
        assert_eq!(services[0]["metadata"]["labels"], services[1]["metadata"]["labels"]);
        let test = objects.one("Pod")["spec"]["containers"][0]["env"].to_string();
        assert!(test.contains("http://shop:8000/") && test.contains("http://shop-metrics:9000/metrics"), "{test}");
    }
}

#[test]
fn a_policy_says_who_may_call_and_whom_the_service_may_call() {
    let Some(helm) = Helm::find() else { return };
    let open = helm.render(json!({}));
    let spec = &open.one("NetworkPolicy")["spec"];
    assert_eq!(spec["policyTypes"], json!(["Ingress"]));
    assert_eq!(spec["ingress"], json!([{"ports": [{"port": "http", "protocol": "TCP"}]}]), "the API and nothing else");
    let to = json!([{"to": [{"podSelector": {}}], "ports": [{"port": 5432, "protocol": "TCP"}]}]);
    let closed = helm.render(json!({"networkPolicy": {"egress": to}}));
    let spec = &closed.one("NetworkPolicy")["spec"];
    assert_eq!(spec["policyTypes"], json!(["Ingress", "Egress"]));
    assert_eq!(spec["egress"][0]["ports"][0]["port"], 53, "names must be found");
    assert_eq!(spec["egress"][1], to[0]);
}

#[tokio::test]
async fn the_script_finds_its_request_in_metrics() {
    if !installed("wget", "--version") {
        eprintln!("skipped: wget is not on the PATH");
        return;
    }
    let program = env!("CARGO_BIN_EXE_redpane");
    let (_process, address) = listening(service(program, &[], &[]), Reading::AsItComes).await;
    let script = |request: String, metrics: String| {
        let mut command = Command::new("/bin/sh");
        command.arg(files::path(CHART).join("files/test.sh"));
        command.env("REQUEST", request).env("METRICS", metrics).env("DEADLINE", "20");
        command
    };
    let url = |path: &str| format!("http://{address}{path}");
    let (code, output, errors) = run(script(url("/"), url("/metrics"))).await;
    assert_eq!(code, 0, "{output}{errors}");
    assert!(output.contains("shows it: trace id"), "{output}");
    // The wrong places, for which it need not wait long.
    for (request, metrics, part) in
        [(url("/"), url("/healthz"), "does not show it"), (url("/nope"), url("/metrics"), "was not answered")]
    {
        let mut command = script(request, metrics);
        command.env("DEADLINE", "1");
        let (code, _, errors) = tokio::time::timeout(Duration::from_secs(60), run(command)).await.expect("it gives up");
        assert_eq!(code, 1, "{errors}");
        assert!(errors.contains(part), "{part} is missing in: {errors}");
    }
    // An image without the program, which no time brings.
    let bin = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-wget");
    std::fs::create_dir_all(&bin).expect("a folder");
    for program in ["date", "head", "od", "tr", "tail"] {
        let link = format!("ln -sf \"$(command -v {program})\" {}", bin.join(program).display());
        assert!(Command::new("sh").args(["-c", &link]).status().expect("sh starts").success());
    }
    let mut command = script(url("/"), url("/metrics"));
    command.env("PATH", &bin).env("DEADLINE", "3600");
    let (code, _, errors) = tokio::time::timeout(Duration::from_secs(60), run(command)).await.expect("it gives up");
    assert_eq!(code, 1, "{errors}");
    assert!(errors.contains("ended with 127"), "{errors}");
}
