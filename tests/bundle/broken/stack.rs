//! Compose, environment, configurations, documentation and scripts with one fault each.

use serde_json::{Value, json};

use super::{COMPOSE, Case, Copy, RULES, SERVICE, SOURCES};
use crate::files::Bundle;
use crate::{chain, compose, configs, docs, environment, files, service, spans, tools};

#[test]
fn a_file_that_does_not_parse() {
    Copy::new().append(SERVICE, "}").is_found(files::every_file_parses, &[SERVICE, "does not parse", "line"]);
    Copy::new().append(RULES, "\n  - x: [").is_found(files::every_file_parses, &[RULES, "does not parse", "line"]);
    Copy::new().append(COMPOSE, "\nname: again\n").is_found(files::every_file_parses, &[COMPOSE, "duplicate"]);
}

#[test]
fn a_service_that_is_unpinned_exposed_or_unwatched() {
    let cases: [Case; 11] = [
        (|loki| loki["image"] = json!("grafana/loki:latest"), "services.loki.image"),
        (|loki| loki["image"] = json!("grafana/loki:3.7"), "services.loki.image"),
        (|loki| loki["ports"] = json!(["3100:3100"]), "services.loki.ports[0]"),
        (|loki| loki["container_name"] = json!("loki"), "services.loki.container_name"),
        (|loki| loki["healthcheck"] = Value::Null, "services.loki.healthcheck"),
        (|loki| loki["restart"] = Value::Null, "services.loki.restart"),
        (|loki| loki["cap_drop"] = Value::Null, "services.loki.cap_drop"),
        (|loki| loki["security_opt"] = json!([]), "services.loki.security_opt"),
        (|loki| loki["logging"] = Value::Null, "services.loki.logging.options.max-size"),
        (|loki| loki["deploy"]["resources"]["limits"]["memory"] = json!("513M"), "must be at most 512M"),
        (|loki| loki["volumes"][0] = json!("./loki.yml:/etc/loki/config.yml:ro"), "./loki.yml does not exist"),
    ];
    for (change, part) in cases {
        Copy::new()
            .change(COMPOSE, |compose| change(&mut compose["services"]["loki"]))
            .is_found(compose::check, &[COMPOSE, part]);
    }
    Copy::new()
        .change(COMPOSE, |compose| compose["version"] = json!("3.8"))
        .is_found(compose::check, &[COMPOSE, "version"]);
    let memory = |compose: &mut Value| {
        compose["services"]["promtail"]["deploy"]["resources"]["limits"]["memory"] = json!("300M");
    };
    Copy::new().change(COMPOSE, memory).is_found(compose::check, &["stack.json", "memory limit of \"promtail\""]);
    let cases: [Case; 9] = [
        (
            |compose| compose["services"]["alerts"]["deploy"]["resources"]["limits"]["memory"] = json!("500M"),
            "services: have memory limits of",
        ),
        (|compose| compose["services"]["grafana"]["healthcheck"]["test"] = json!([]), "services.tempo.healthcheck"),
        (
            |compose| compose["services"]["promtail"]["environment"]["LOGGING_FILTER"] = json!("logging_job"),
            "LOGGING_FILTER",
        ),
        (
            |compose| {
                compose["services"]["promtail"]["volumes"][0] = json!("/var/run/docker.sock:/var/run/docker.sock:ro")
            },
            "services.promtail.volumes[0]: only docker-reader",
        ),
        (
            |compose| compose["services"]["docker-reader"]["volumes"][0]["source"] = json!("/var/run/docker.sock"),
            "services.docker-reader.volumes[0]: must have the source",
        ),
        (
            |compose| compose["services"]["docker-reader"]["volumes"][0]["bind"] = Value::Null,
            "services.docker-reader.volumes[0]: must have create_host_path: false",
        ),
        (|compose| compose["services"]["settings"]["pull_policy"] = Value::Null, "services.settings.pull_policy"),
        (|compose| compose["services"]["settings"]["image"] = json!("settings"), "services.settings.image"),
        (
            |compose| compose["services"]["loki"]["volumes"][0] = json!("./loki-config.yml:/etc/loki/config.yml:ro"),
            "must have z",
        ),
    ];
    for (change, part) in cases {
        Copy::new().change(COMPOSE, change).is_found(compose::check, &[COMPOSE, part]);
    }
    Copy::new()
        .line("settings.Dockerfile", "ARG IMAGE=", "ARG IMAGE=alpine:3.22.1")
        .is_found(compose::check, &["settings.Dockerfile", "no other image"]);
    let label = |compose: &mut Value| compose["services"]["api"]["labels"]["logging_job"] = json!("web");
    Copy::new().change(COMPOSE, label).is_found(compose::check, &[COMPOSE, "services.api.labels.logging_job"]);
    Copy::new()
        .line("Dockerfile", "ARG BUILD_IMAGE=", "ARG BUILD_IMAGE=rust:latest")
        .is_found(compose::check, &["Dockerfile", "names no version"]);
}

#[test]
fn a_chain_of_services_with_a_wrong_link() {
    let cases: [Case; 7] = [
        (|services| services["orders"]["image"] = json!("orders:1.2.3"), "services.orders.image"),
        (|services| services["stock"]["environment"]["REDPANE_APP"] = json!("store"), "services.stock.environment"),
        (
            |services| services["stock"]["environment"]["REDPANE_UPSTREAM"] = json!("http://orders:8000"),
            "services.stock.environment.REDPANE_UPSTREAM: must be http://payment:8000",
        ),
        (
            |services| services["payment"]["environment"]["REDPANE_UPSTREAM"] = json!("http://api:8000"),
            "services.payment.environment.REDPANE_UPSTREAM: must not be set",
        ),
        (
            |services| services["api"]["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"] = json!("http://tempo:4317"),
            "services.api.environment.OTEL_EXPORTER_OTLP_ENDPOINT",
        ),
        (
            |services| services["payment"]["environment"]["REDPANE_METRIC_NAMES"] = json!("redpane"),
            "services.payment.environment.REDPANE_METRIC_NAMES: must be handed on",
        ),
        (|services| services["payment"]["ports"] = json!(["127.0.0.1:8003:8000"]), "services.payment.ports"),
    ];
    for (change, part) in cases {
        Copy::new()
            .change(COMPOSE, |compose| change(&mut compose["services"]))
            .is_found(chain::check, &[COMPOSE, part]);
    }
}

#[test]
fn an_environment_file_that_says_something_else() {
    let settings = service::settings();
    let check = |bundle: &Bundle| environment::check(bundle, &settings);
    const FILE: &str = ".env.example";
    Copy::new()
        .append(FILE, "\nNOBODY_READS=1\n")
        .is_found(check, &[FILE, "line", "no compose file uses NOBODY_READS"]);
    Copy::new().replace(FILE, "LOKI_PORT=", "LOKI_PORTS=").is_found(check, &[FILE, "LOKI_PORT: is missing"]);
    Copy::new()
        .replace(FILE, "GRAFANA_PORT=3000", "GRAFANA_PORT=3001")
        .is_found(check, &[COMPOSE, "GRAFANA_PORT", "\"3001\""]);
    Copy::new()
        .replace(FILE, "#REDPANE_BODY_LIMIT=", "#REDPANE_BODY_LIMIT=9")
        .is_found(check, &[FILE, "the default of the service"]);
    let unknown = |compose: &mut Value| compose["services"]["api"]["environment"]["REDPANE_COLOUR"] = json!("red");
    Copy::new()
        .change(COMPOSE, unknown)
        .is_found(check, &[COMPOSE, "services.api.environment.REDPANE_COLOUR", "no such setting"]);
    let documented = |bundle: &Bundle| docs::configuration(bundle, &settings);
    const PAGE: &str = "docs/configuration.md";
    Copy::new().replace(PAGE, "`30s`", "`31s`").is_found(documented, &[PAGE, "REDPANE_REQUEST_TIMEOUT", "\"30s\""]);
    Copy::new().replace(PAGE, "| `REDPANE_FAULTS` |", "| faults |").is_found(documented, &[PAGE, "REDPANE_FAULTS"]);
}

#[test]
fn configurations_that_disagree() {
    let job = |value: &mut Value| value["scrape_configs"][0]["relabel_configs"] = json!([]);
    Copy::new()
        .change("prometheus.yml", job)
        .is_found(configs::check, &["prometheus.yml", "scrape_configs[0]", "must set app"]);
    let interval = |value: &mut Value| value["global"]["scrape_interval"] = json!("30s");
    Copy::new().change("prometheus.yml", interval).is_found(configs::check, &[SOURCES, "timeInterval"]);
    let schema = |value: &mut Value| value["schema_config"]["configs"][0]["schema"] = json!("v12");
    Copy::new().change("loki-config.yml", schema).is_found(configs::check, &["loki-config.yml", "v13"]);
    let retention = |value: &mut Value| value["compactor"]["retention_enabled"] = json!(false);
    Copy::new()
        .change("loki-config.yml", retention)
        .is_found(configs::check, &["loki-config.yml", "retention_enabled"]);
    let threshold = |value: &mut Value| value["ingester"]["wal"]["disk_full_threshold"] = Value::Null;
    Copy::new()
        .change("loki-config.yml", threshold)
        .is_found(configs::check, &["loki-config.yml", "disk_full_threshold"]);
    Copy::new()
        .replace(COMPOSE, "- --config.auto-reload\n", "")
        .is_found(configs::check, &[COMPOSE, "services.prometheus.command", "--config.auto-reload"]);
    let keys = |value: &mut Value| {
        value["services"]["grafana"]["environment"]["GF_PLUGINS_PUBLIC_KEY_RETRIEVAL_DISABLED"] = json!("false");
    };
    Copy::new()
        .change(COMPOSE, keys)
        .is_found(configs::check, &[COMPOSE, "PUBLIC_KEY_RETRIEVAL", "nothing is fetched"]);
    let file = "promtail-config.yml";
    let label = |value: &mut Value| {
        value["scrape_configs"][0]["pipeline_stages"]
            .as_array_mut()
            .unwrap()
            .push(json!({"labels": {"trace_id": null}}));
    };
    Copy::new().change(file, label).is_found(configs::check, &[file, "pipeline_stages", "trace_id"]);
    let positions = |value: &mut Value| value["positions"]["filename"] = json!("/tmp/positions.yaml");
    Copy::new().change(file, positions).is_found(configs::check, &[file, "positions.filename"]);
    let uid = |value: &mut Value| value["datasources"][1]["uid"] = json!("logs");
    Copy::new().change(SOURCES, uid).is_found(configs::check, &["no data source has the uid loki"]);
}

#[test]
fn spans_that_do_not_arrive_or_are_not_kept() {
    const FILE: &str = "tempo-config.yml";
    let cases: [Case; 7] = [
        (|tempo| tempo["metrics_generator"]["metrics_ingestion_time_range_slack"] = json!("30s"), "must be 1h"),
        (
            |tempo| tempo["distributor"]["receivers"]["otlp"]["protocols"]["http"] = Value::Null,
            "http.endpoint: must be 0.0.0.0:4318",
        ),
        (|tempo| tempo["storage"]["trace"]["wal"]["path"] = json!("/tmp/wal"), "storage.trace.wal.path: must lie on"),
        (|tempo| tempo["compactor"]["compaction"]["block_retention"] = json!("48h"), "block_retention"),
        (|tempo| tempo["metrics_generator"]["registry"]["collection_interval"] = json!("15s"), "collection_interval"),
        (|tempo| tempo["metrics_generator"]["storage"]["remote_write"] = json!([]), "remote_write"),
        (|tempo| tempo["overrides"]["defaults"]["metrics_generator"]["processors"] = json!([]), "service-graphs"),
    ];
    for (change, part) in cases {
        Copy::new().change(FILE, change).is_found(spans::check, &[FILE, part]);
    }
    let open = |compose: &mut Value| compose["services"]["tempo"]["ports"] = json!(["127.0.0.1:4318:4318"]);
    Copy::new().change(COMPOSE, open).is_found(spans::check, &[COMPOSE, "must not publish 4318"]);
    Copy::new()
        .replace(COMPOSE, "- --web.enable-remote-write-receiver\n", "")
        .is_found(spans::check, &[COMPOSE, "services.prometheus.command"]);
    Copy::new()
        .replace(COMPOSE, "TEMPO_RETENTION: ${", "TEMPO_KEEPS: ${")
        .is_found(spans::check, &[FILE, "does not set TEMPO_RETENTION for tempo"]);
}

#[test]
fn documentation_without_the_promised_queries_or_with_dead_links() {
    Copy::new()
        .append("docs/runbooks.md", "\n[x](nothing.md)\n")
        .is_found(docs::check, &["docs/runbooks.md", "docs/nothing.md"]);
    Copy::new()
        .append("docs/runbooks.md", "\n[x](#nothing)\n")
        .is_found(docs::check, &["docs/runbooks.md", "no section #nothing"]);
    let copy = Copy::new();
    for file in copy.bundle().list("", &[".md"]) {
        copy.edit(&file, |text| text.replace("[2m])) > 0", "[3m])) > 0"));
    }
    copy.is_found(docs::check, &["README.md", "[2m])) > 0"]);
}

#[test]
fn instructions_that_nobody_has_counted() {
    let results = "bench/results/instructions.json";
    let more = |results: &mut Value| {
        let total = &mut results["measured"][1]["more"]["total"];
        *total = json!(total.as_u64().unwrap() + 1_000_000_000);
    };
    let copy = Copy::new();
    copy.change(results, more);
    copy.is_found(docs::instructions, &["README.md", "must be |instructions added to a request|"]);
    copy.is_found(docs::instructions, &["docs/benchmarks.md", "must have | "]);
    Copy::new()
        .change(results, |results| results["measured"] = json!([]))
        .is_found(docs::instructions, &[results, "has not what README compares"]);
}

#[test]
fn rules_that_promtool_refuses_and_scripts_that_sh_refuses() {
    Copy::new().append("scripts/load.sh", "\nif true\n").is_found(tools::shell_syntax, &["scripts/load.sh", "sh -n"]);
    let Some(promtool) = tools::find("promtool") else { return };
    // One file of tests is enough, and without a run over the whole repository, which its own test does.
    let copy = Copy::new();
    for file in copy.bundle().list("tests/promtool", &[".yml"]).iter().filter(|file| !file.ends_with("app.yml")) {
        std::fs::remove_file(copy.0.join(file)).unwrap();
    }
    copy.change(RULES, |rules| {
        for group in rules["groups"].as_array_mut().unwrap() {
            for rule in group["rules"].as_array_mut().unwrap() {
                rule["expr"] = json!("vector(7)");
            }
        }
    });
    copy.change("prometheus.yml", |value| value["scrape_config"] = json!([]));
    let findings = tools::promtool(&promtool, &copy.bundle());
    assert!(findings.names(&["tests/promtool/app.yml", "test rules"]), "{findings:#?}");
    assert!(findings.names(&["prometheus.yml", "check config", "scrape_config"]), "{findings:#?}");
}
