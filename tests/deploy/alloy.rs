//! Alloy's configurations: the same stages, labels and promises as Promtail's.
//!
//! Read with a small reader of blocks, attributes and texts; Alloy's own parser is a program that few have.

use serde_json::Value;

use crate::alloy_text::{Block, parse};
use crate::files::{self, items, yaml};

const BUNDLE: &str = "alloy-config.alloy";
const CLUSTER: &str = "deploy/kubernetes/alloy/config.alloy";

fn promtail() -> Value {
    yaml("promtail-config.yml")
}

fn stages(file: &str) -> Vec<Block> {
    let blocks = parse(&files::text(file));
    let process = blocks.into_iter().find(|block| block.name == "loki.process").expect("stages");
    process.blocks
}

fn stage<'a>(stages: &'a [Block], name: &str) -> &'a Block {
    let mut found = stages.iter().filter(|stage| stage.name == name);
    found.next().unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn the_bundle_has_promtails_stages_in_promtails_order() {
    let promtail = promtail();
    let pipeline = &promtail["scrape_configs"][0]["pipeline_stages"];
    let expected: Vec<String> = items(pipeline)
        .iter()
        .filter_map(|stage| stage.as_object().and_then(|stage| stage.keys().next()))
        .map(|name| format!("stage.{name}"))
        .collect();
    let stages = stages(BUNDLE);
    let names: Vec<&str> = stages.iter().map(|stage| stage.name.as_str()).collect();
    // The last is Promtail's limits_config.
    assert_eq!(names[..names.len() - 1], expected);
    assert_eq!(names.last(), Some(&"stage.truncate"));
    let rule = &stage(&stages, "stage.truncate").blocks[0];
    assert_eq!(rule.texts("limit"), [promtail["limits_config"]["max_line_size"].as_str().expect("a size")]);
    for (name, list) in [("json", "expressions"), ("labels", "values"), ("structured_metadata", "values")] {
        let wanted = items(pipeline).iter().map(|stage| &stage[name]).find(|stage| !stage.is_null()).expect(name);
        let wanted = if name == "json" { &wanted["expressions"] } else { wanted };
        let mut wanted: Vec<&String> = wanted.as_object().expect(name).keys().collect();
        let mut found = stage(&stages, &format!("stage.{name}")).keys(list);
        wanted.sort();
        found.sort();
        assert_eq!(found, wanted.iter().map(|key| key.as_str()).collect::<Vec<_>>(), "{name}");
    }
    let template = items(pipeline).iter().find_map(|stage| stage["template"]["template"].as_str()).expect("a template");
    assert_eq!(stage(&stages, "stage.template").texts("template"), [template]);
    let timestamp = stage(&stages, "stage.timestamp");
    assert_eq!(timestamp.texts("format"), ["RFC3339Nano"]);
    assert_eq!(timestamp.texts("action_on_failure"), ["skip"]);
}

#[test]
fn the_daemon_set_has_the_bundles_stages() {
    let own = ["stage.cri", "stage.label_drop"];
    let of_the_cluster: Vec<Block> =
        stages(CLUSTER).into_iter().filter(|stage| !own.contains(&stage.name.as_str())).collect();
    assert_eq!(of_the_cluster, stages(BUNDLE));
    assert_eq!(stages(CLUSTER)[0].name, "stage.cri", "before anything is read of the line");
}

#[test]
fn labels_are_the_words_of_the_bundle() {
    let targets = |file: &str| -> Vec<String> {
        let blocks = parse(&files::text(file));
        let relabel = blocks.into_iter().find(|block| block.name == "discovery.relabel").expect("rules");
        let labels = relabel.blocks.iter().flat_map(|rule| rule.texts("target_label"));
        let mut labels: Vec<String> = labels.filter(|label| !label.starts_with("__")).collect();
        labels.sort();
        labels.dedup();
        labels
    };
    let promtail = promtail();
    let rules = items(&promtail["scrape_configs"][0]["relabel_configs"]);
    let mut expected: Vec<&str> = rules.iter().filter_map(|rule| rule["target_label"].as_str()).collect();
    expected.sort_unstable();
    expected.dedup();
    assert_eq!(targets(BUNDLE), expected);
    assert_eq!(targets(CLUSTER), ["app", "container", "instance", "namespace", "node", "pod"]);
    // Rule by rule, as far as Promtail has them.
    let blocks = parse(&files::text(BUNDLE));
    let relabel = blocks.iter().find(|block| block.name == "discovery.relabel").expect("rules");
    for (rule, wanted) in relabel.blocks.iter().zip(rules) {
        assert_eq!(rule.texts("source_labels"), files::texts(&wanted["source_labels"]));
        for attribute in ["regex", "replacement"] {
            let wanted: Vec<&str> = wanted[attribute].as_str().into_iter().collect();
            assert_eq!(rule.texts(attribute), wanted, "{attribute}");
        }
    }
    assert_eq!(relabel.blocks.len(), rules.len());
}

#[test]
fn nothing_is_given_up_while_loki_or_tempo_is_away() {
    let promtail = promtail();
    let client = &promtail["clients"][0];
    for file in [BUNDLE, CLUSTER] {
        let blocks = parse(&files::text(file));
        let of =
            |name: &str| blocks.iter().find(|block| block.name == name).unwrap_or_else(|| panic!("{file}: {name}"));
        let endpoint = &of("loki.write").blocks[0];
        assert_eq!(endpoint.value("max_backoff_retries"), "0", "{file}: 0 is for ever");
        assert_eq!(endpoint.texts("batch_wait"), [client["batchwait"].as_str().expect("a duration")], "{file}");
        assert_eq!(
            endpoint.texts("max_backoff_period"),
            [client["backoff_config"]["max_period"].as_str().expect("a duration")]
        );
        let exporter = of("otelcol.exporter.otlphttp");
        let retry = exporter.blocks.iter().find(|block| block.name == "retry_on_failure").expect("it tries again");
        assert_eq!(retry.texts("max_elapsed_time"), ["0s"], "{file}: 0s is for ever");
        let receiver = of("otelcol.receiver.otlp");
        assert!(
            receiver.blocks.iter().any(|block| block.name == "http" && block.texts("endpoint") == ["0.0.0.0:4318"])
        );
    }
}

#[test]
fn compose_puts_alloy_in_promtails_place() {
    let file = yaml("docker-compose.alloy.yml");
    let services = &file["services"];
    assert_eq!(services["promtail"]["scale"], 0);
    let alloy = &services["alloy"];
    let command = files::texts(&alloy["command"]).join(" ");
    assert!(
        command.contains("--server.http.listen-addr=0.0.0.0:9080"),
        "the port that prometheus.yml scrapes: {command}"
    );
    let storage = command.split("--storage.path=").nth(1).and_then(|rest| rest.split(' ').next()).expect("positions");
    let volumes = files::texts(&alloy["volumes"]);
    assert!(volumes.iter().any(|volume| *volume == format!("alloy-data:{storage}")), "{volumes:?}");
    assert!(file["volumes"].as_object().is_some_and(|volumes| volumes.contains_key("alloy-data")));
    let bundle = yaml("docker-compose.yml");
    // A service that Compose creates anew for it would take its unread lines with it.
    for (name, service) in bundle["services"].as_object().expect("services") {
        let sends = !service["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"].is_null();
        assert!(!sends || services[name].is_null(), "{name} must be the same container with Alloy and without");
    }
    let aliases = |service: &Value| files::texts(&service["networks"]["default"]["aliases"]).join(" ");
    assert_eq!(aliases(&bundle["services"]["tempo"]), "otlp", "where services send their spans");
    assert_eq!(aliases(alloy), "promtail otlp", "what Prometheus scrapes, and where services send their spans");
    assert_eq!(aliases(&services["tempo"]), "", "spans go past Alloy");
    assert!(
        files::text("docker-compose.alloy.yml").contains("networks: !override\n"),
        "aliases of both files would be added"
    );
    let kubernetes = yaml("deploy/kubernetes/alloy/daemonset.yaml");
    let image = &kubernetes["spec"]["template"]["spec"]["containers"][0]["image"];
    assert_eq!(image, &alloy["image"], "one version of Alloy");
}
