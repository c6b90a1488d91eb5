//! What Prometheus, Loki, Promtail and Grafana must agree on: labels, addresses, intervals, and how long data is kept.

use std::collections::BTreeSet;

use serde_json::Value;
use test_support::bundle::SERVICES;

use crate::files::{Bundle, entries, items, scalar};
use crate::findings::Findings;
use crate::logql;

pub(crate) fn check(bundle: &Bundle) -> Findings {
    let mut findings = Findings::default();
    let compose = bundle.value("docker-compose.yml", &mut findings).unwrap_or_default();
    let prometheus = bundle.value("prometheus.yml", &mut findings).unwrap_or_default();
    let loki = bundle.value("loki-config.yml", &mut findings).unwrap_or_default();
    let promtail = bundle.value("promtail-config.yml", &mut findings).unwrap_or_default();
    scraping(&prometheus, &compose, &mut findings);
    keeping(&loki, &compose, &mut findings);
    collecting(&promtail, &compose, &mut findings);
    showing(bundle, &prometheus, &compose, &mut findings);
    offline(&compose, &mut findings);
    findings
}

fn scraping(prometheus: &Value, compose: &Value, findings: &mut Findings) {
    const FILE: &str = "prometheus.yml";
    let jobs = items(&prometheus["scrape_configs"]);
    let names: BTreeSet<&str> = jobs.iter().filter_map(|job| job["job_name"].as_str()).collect();
    let expected = BTreeSet::from(SERVICES);
    findings.expect(names == expected, FILE, "scrape_configs", format!("must have the jobs {}", SERVICES.join(", ")));
    for (index, job) in jobs.iter().enumerate() {
        let (name, path) = (&job["job_name"], format!("scrape_configs[{index}]"));
        let labelled = items(&job["relabel_configs"])
            .iter()
            .any(|rule| rule["target_label"] == "app" && rule["replacement"] == *name);
        findings.expect(labelled, FILE, &format!("{path}.relabel_configs"), format!("must set app to {name}"));
        let lookups = items(&job["dns_sd_configs"]);
        findings.expect(
            !lookups.is_empty(),
            FILE,
            &format!("{path}.dns_sd_configs"),
            "is missing: it finds every replica",
        );
        for lookup in lookups {
            let path = format!("{path}.dns_sd_configs");
            for host in items(&lookup["names"]).iter().map(scalar) {
                let exists = compose["services"].get(&host).is_some();
                findings.expect(exists, FILE, &path, format!("docker-compose.yml has no service {host:?}"));
            }
            findings.expect(
                lookup["type"] == "A" && lookup["port"].is_u64(),
                FILE,
                &path,
                "must have type A and a port",
            );
        }
    }
    let mounts = mounts(compose, "prometheus");
    for (index, file) in items(&prometheus["rule_files"]).iter().map(scalar).enumerate() {
        let mounted = mounts.iter().any(|(source, target)| *target == file && source == "./prometheus-rules.yml");
        findings.expect(
            mounted,
            FILE,
            &format!("rule_files[{index}]"),
            format!("docker-compose.yml mounts no rules at {file}"),
        );
    }
    findings.expect(!items(&prometheus["rule_files"]).is_empty(), FILE, "rule_files", "is missing");
    let command = scalar(&compose["services"]["prometheus"]["command"]);
    for flag in [
        "--config.file=/etc/prometheus/prometheus.yml",
        "--storage.tsdb.retention.time=",
        "--storage.tsdb.retention.size=",
        "exemplar-storage",
        "--config.auto-reload\"",
    ] {
        let path = "services.prometheus.command";
        findings.expect(command.contains(flag), "docker-compose.yml", path, format!("must have {flag}"));
    }
}

fn keeping(loki: &Value, compose: &Value, findings: &mut Findings) {
    let mut expect = |right: bool, path: &str, fault: &str| findings.expect(right, "loki-config.yml", path, fault);
    let schema = items(&loki["schema_config"]["configs"]).last().cloned().unwrap_or_default();
    expect(
        schema["schema"] == "v13",
        "schema_config.configs",
        "must end with schema v13: structured metadata needs it",
    );
    expect(schema["store"] == "tsdb", "schema_config.configs", "must end with the store tsdb");
    let compactor = &loki["compactor"];
    expect(
        compactor["retention_enabled"] == true,
        "compactor.retention_enabled",
        "must be true, or nothing is ever deleted",
    );
    let store = &compactor["delete_request_store"];
    expect(*store == schema["object_store"], "compactor.delete_request_store", "must be the object store");
    let limits = &loki["limits_config"];
    expect(limits["retention_period"].is_string(), "limits_config.retention_period", "is missing");
    expect(limits["allow_structured_metadata"] == true, "limits_config.allow_structured_metadata", "must be true");
    expect(scalar(&loki["common"]["path_prefix"]) == "/loki", "common.path_prefix", "must be /loki, the volume");
    let mounted = mounts(compose, "loki").iter().any(|(source, target)| target == "/loki" && !source.starts_with('.'));
    findings.expect(mounted, "docker-compose.yml", "services.loki.volumes", "must have a named volume at /loki");
    let threshold = loki["ingester"]["wal"]["disk_full_threshold"].as_f64();
    findings.expect(
        threshold.is_some_and(|share| share > 0.9 && share < 1.0),
        "loki-config.yml",
        "ingester.wal.disk_full_threshold",
        "must be set between 0.9 and 1: at the default, 0.9, a nearly full disk of a laptop collects nothing",
    );
    expanded("loki-config.yml", "loki", loki, compose, findings);
}

fn collecting(promtail: &Value, compose: &Value, findings: &mut Findings) {
    const FILE: &str = "promtail-config.yml";
    let job = &promtail["scrape_configs"][0];
    let filtered = items(&job["docker_sd_configs"]).iter().flat_map(|source| items(&source["filters"]));
    let filtered = filtered
        .into_iter()
        .any(|filter| filter["name"] == "label" && items(&filter["values"]).contains(&"logging_job".into()));
    findings.expect(filtered, FILE, "scrape_configs[0].docker_sd_configs", "must filter by the label logging_job");
    let mut labels: BTreeSet<String> =
        items(&job["relabel_configs"]).iter().map(|rule| scalar(&rule["target_label"])).collect();
    for stage in items(&job["pipeline_stages"]) {
        labels.extend(entries(&stage["labels"]).map(|(label, _)| label.clone()));
    }
    let expected = logql::LABELS.map(str::to_owned).into();
    let fault = format!("lead to the labels {labels:?}; must be {}", logql::LABELS.join(", "));
    findings.expect(labels == expected, FILE, "scrape_configs[0].pipeline_stages", fault);
    let app = items(&job["relabel_configs"]).iter().any(|rule| {
        rule["target_label"] == "app"
            && rule["source_labels"] == serde_json::json!(["__meta_docker_container_label_logging_job"])
    });
    findings.expect(
        app,
        FILE,
        "scrape_configs[0].relabel_configs",
        "must set app to the container's label logging_job",
    );
    let stage = |name: &str| {
        items(&job["pipeline_stages"]).iter().map(|stage| stage[name].clone()).find(|stage| !stage.is_null())
    };
    let metadata = stage("structured_metadata").unwrap_or_default();
    for name in ["trace_id", "span_id"] {
        let path = "scrape_configs[0].pipeline_stages.structured_metadata";
        findings.expect(metadata.get(name).is_some(), FILE, path, format!("must have {name}"));
    }
    let timestamp =
        stage("timestamp").is_some_and(|stage| stage["source"] == "timestamp" && stage["format"] == "RFC3339Nano");
    findings.expect(
        timestamp,
        FILE,
        "scrape_configs[0].pipeline_stages.timestamp",
        "must read the line's own timestamp",
    );
    let positions = scalar(&promtail["positions"]["filename"]);
    let kept = mounts(compose, "promtail")
        .iter()
        .any(|(source, target)| !source.starts_with(['.', '/']) && positions.starts_with(target));
    findings.expect(
        kept,
        FILE,
        "positions.filename",
        "must lie on a named volume, or a new container sends everything again",
    );
    for (index, client) in items(&promtail["clients"]).iter().enumerate() {
        let path = format!("clients[{index}]");
        let url = scalar(&client["url"]);
        findings.expect(
            url == "http://loki:3100/loki/api/v1/push",
            FILE,
            &format!("{path}.url"),
            "must be Loki's push address",
        );
        let retries = client["backoff_config"]["max_retries"] == 0;
        findings.expect(
            retries,
            FILE,
            &format!("{path}.backoff_config.max_retries"),
            "must be 0 (for ever), or an absence of Loki loses lines",
        );
    }
    expanded(FILE, "promtail", promtail, compose, findings);
}

/// What Grafana would ask the network for at its start.
fn offline(compose: &Value, findings: &mut Findings) {
    for (name, value) in [
        ("GF_PLUGINS_PUBLIC_KEY_RETRIEVAL_DISABLED", "true"),
        ("GF_PLUGINS_PREINSTALL_DISABLED", "true"),
        ("GF_ANALYTICS_REPORTING_ENABLED", "false"),
        ("GF_ANALYTICS_CHECK_FOR_UPDATES", "false"),
        ("GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES", "false"),
    ] {
        let set = scalar(&compose["services"]["grafana"]["environment"][name]) == value;
        let path = format!("services.grafana.environment.{name}");
        findings.expect(set, "docker-compose.yml", &path, format!("must be {value:?}: nothing is fetched or reported"));
    }
}

fn showing(bundle: &Bundle, prometheus: &Value, compose: &Value, findings: &mut Findings) {
    let sources = bundle.datasources(findings);
    for (uid, url) in
        [("prometheus", "http://prometheus:9090"), ("loki", "http://loki:3100"), ("tempo", "http://tempo:3200")]
    {
        let folder = "grafana/provisioning/datasources";
        let Some((file, path, source)) = sources.iter().find(|(_, _, source)| source["uid"] == uid) else {
            findings.add(folder, "datasources", format!("no data source has the uid {uid}"));
            continue;
        };
        findings.expect(source["type"] == uid, file, &format!("{path}.type"), format!("must be {uid}"));
        findings.expect(source["url"] == url, file, &format!("{path}.url"), format!("must be {url}"));
        let json = &source["jsonData"];
        if uid == "prometheus" {
            let same = json["timeInterval"] == prometheus["global"]["scrape_interval"];
            findings.expect(
                same,
                file,
                &format!("{path}.jsonData.timeInterval"),
                "must be the scrape_interval of prometheus.yml",
            );
            let exemplars = items(&json["exemplarTraceIdDestinations"]);
            let linked = exemplars.iter().any(|link| link["name"] == "trace_id");
            findings.expect(
                linked,
                file,
                &format!("{path}.jsonData.exemplarTraceIdDestinations"),
                "must link trace_id",
            );
        } else if uid == "loki" {
            // By a URL to Explore: with a `datasourceUid` Grafana would hand over `query`, which Loki does not read.
            let to_lines = |field: &Value| field["url"].as_str().is_some_and(|url| url.starts_with("/explore?"));
            let linked = items(&json["derivedFields"]).iter().any(to_lines);
            findings.expect(
                linked,
                file,
                &format!("{path}.jsonData.derivedFields"),
                "must link a trace id to its lines",
            );
        }
    }
    let targets: Vec<String> = mounts(compose, "grafana").into_iter().map(|(_, target)| target).collect();
    for (file, value) in bundle.values("grafana/provisioning/dashboards", &[".yaml", ".yml"], findings) {
        for (index, provider) in items(&value["providers"]).iter().enumerate() {
            let path = scalar(&provider["options"]["path"]);
            let mounted = targets.contains(&path);
            findings.expect(
                mounted,
                &file,
                &format!("providers[{index}].options.path"),
                format!("compose mounts nothing at {path}"),
            );
        }
    }
}

/// `${NAME}` of a configuration that the program expands itself: compose sets it, and switches the expansion on.
pub(crate) fn expanded(file: &str, service: &str, config: &Value, compose: &Value, findings: &mut Findings) {
    let service_value = &compose["services"][service];
    crate::files::texts(config, "", &mut |path, text| {
        for name in text.split("${").skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name) {
            let set = service_value["environment"].get(name).is_some();
            findings.expect(set, file, path, format!("docker-compose.yml does not set {name} for {service}"));
            let on = scalar(&service_value["command"]).contains("-config.expand-env=true");
            findings.expect(
                on,
                "docker-compose.yml",
                &format!("services.{service}.command"),
                "must have -config.expand-env=true",
            );
        }
    });
}

/// Sources and targets of a service's volumes.
pub(crate) fn mounts(compose: &Value, service: &str) -> Vec<(String, String)> {
    let volumes = items(&compose["services"][service]["volumes"]).iter().map(scalar);
    volumes
        .filter_map(|volume| {
            let mut parts = volume.split(':').map(str::to_owned);
            Some((parts.next()?, parts.next()?))
        })
        .collect()
}
