//! Proof that the checks can fail: each test breaks one thing in a copy of the bundle and asserts that the check names the
//! file and the place.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::files::Bundle;
use crate::findings::Findings;
use crate::{
    alerts, compose, configs, dashboards, docs, environment, files, links, logql, metrics, notifications, promql,
    queries, service, tools,
};

const SERVICE: &str = "grafana/dashboards/service.json";
const COMPOSE: &str = "docker-compose.yml";
const RULES: &str = "prometheus-rules.yml";
const ALERTS: &str = "grafana/provisioning/alerting/rules-service.yaml";
const POINTS: &str = "grafana/provisioning/alerting/contact-points.yaml";
const SOURCES: &str = "grafana/provisioning/datasources/redpane.yaml";

/// A copy of the bundle's files in a folder of its own, deleted at the end.
struct Copy(PathBuf);

impl Copy {
    fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let copy =
            Self(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("bundle-{}-{number}", std::process::id())));
        let repository = Bundle::repository();
        let endings = [
            ".yml",
            ".yaml",
            ".json",
            ".md",
            ".sh",
            ".env.example",
            "Dockerfile",
            ".rs",
            "LICENSE-MIT",
            "LICENSE-APACHE",
        ];
        for file in repository.list("", &endings) {
            let target = copy.0.join(&file);
            std::fs::create_dir_all(target.parent().unwrap()).unwrap();
            std::fs::copy(repository.root().join(&file), target).unwrap();
        }
        copy
    }

    fn bundle(&self) -> Bundle {
        Bundle::new(&self.0)
    }

    /// Changes a YAML or JSON file as a value. JSON is YAML, so it is written as JSON.
    fn change(&self, file: &str, change: impl FnOnce(&mut Value)) -> &Self {
        let mut findings = Findings::default();
        let mut value = self.bundle().value(file, &mut findings).unwrap();
        let before = value.clone();
        change(&mut value);
        assert_ne!(value, before, "the change must change {file}");
        std::fs::write(self.0.join(file), value.to_string()).unwrap();
        self
    }

    fn edit(&self, file: &str, edit: impl FnOnce(&str) -> String) -> &Self {
        let text = std::fs::read_to_string(self.0.join(file)).unwrap();
        std::fs::write(self.0.join(file), edit(&text)).unwrap();
        self
    }

    fn replace(&self, file: &str, from: &str, to: &str) -> &Self {
        self.edit(file, |text| {
            assert!(text.contains(from), "{file} has no {from:?}");
            text.replace(from, to)
        })
    }

    fn append(&self, file: &str, more: &str) -> &Self {
        self.edit(file, |text| text.to_owned() + more)
    }

    /// Another text for the line that starts with `start`.
    fn line(&self, file: &str, start: &str, line: &str) -> &Self {
        self.edit(file, |text| {
            let lines = text.lines().map(|old| if old.starts_with(start) { line } else { old });
            lines.map(|line| format!("{line}\n")).collect()
        })
    }

    /// Asserts that `check` finds a fault whose text has all `parts`, and that it was not there before the change.
    #[track_caller]
    fn is_found(&self, check: impl Fn(&Bundle) -> Findings, parts: &[&str]) {
        let findings = check(&self.bundle());
        assert!(findings.names(parts), "no fault names {parts:?}: {findings:#?}");
        assert!(!check(&Bundle::repository()).names(parts), "found without the change: {parts:?}");
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// The first panel of a kind.
fn panel<'a>(dashboard: &'a mut Value, kind: &str) -> &'a mut Value {
    let panels = dashboard["panels"].as_array_mut().unwrap();
    panels.iter_mut().find(|panel| panel["type"] == kind).unwrap()
}

fn check_promql(bundle: &Bundle) -> Findings {
    let (queries, mut findings) = queries::collect(bundle);
    let known = metrics::Known::of(bundle, service::metrics(), &mut findings);
    promql::check(&queries, &known, &mut findings);
    findings
}

#[test]
fn a_file_that_does_not_parse() {
    Copy::new().append(SERVICE, "}").is_found(files::every_file_parses, &[SERVICE, "does not parse", "line"]);
    Copy::new().append(RULES, "\n  - x: [").is_found(files::every_file_parses, &[RULES, "does not parse", "line"]);
    Copy::new().append(COMPOSE, "\nname: again\n").is_found(files::every_file_parses, &[COMPOSE, "duplicate"]);
}

#[test]
fn a_dashboard_that_grafana_or_a_reader_would_refuse() {
    let cases: [(fn(&mut Value), &str); 10] = [
        (|dashboard| dashboard["apiVersion"] = json!("dashboard.grafana.app/v2"), "apiVersion"),
        (|dashboard| dashboard["uid"] = json!("other"), "uid: \"other\""),
        (|dashboard| dashboard["schemaVersion"] = json!("42"), "schemaVersion"),
        (|dashboard| panel(dashboard, "timeseries")["description"] = json!(" "), "].description"),
        (|dashboard| panel(dashboard, "timeseries")["title"] = json!(""), "].title"),
        (
            |dashboard| panel(dashboard, "timeseries")["fieldConfig"]["defaults"]["unit"] = Value::Null,
            "].fieldConfig.defaults.unit",
        ),
        (
            |dashboard| panel(dashboard, "stat")["fieldConfig"]["defaults"]["thresholds"] = Value::Null,
            "thresholds.steps",
        ),
        (|dashboard| panel(dashboard, "stat")["id"] = json!(1), "].id: is that of panels[0]"),
        (
            |dashboard| panel(dashboard, "stat")["gridPos"] = json!({"x": 22, "y": 900, "w": 3, "h": 1}),
            "does not fit 24 columns",
        ),
        (
            |dashboard| panel(dashboard, "stat")["targets"][0]["datasource"]["uid"] = json!("influx"),
            "\"influx\" is not provisioned",
        ),
    ];
    for (change, part) in cases {
        Copy::new().change(SERVICE, change).is_found(dashboards::check, &[SERVICE, part]);
    }
    let over = |dashboard: &mut Value| {
        let place = dashboard["panels"][1]["gridPos"].clone();
        dashboard["panels"][2]["gridPos"] = place;
    };
    Copy::new().change(SERVICE, over).is_found(dashboards::check, &[SERVICE, "panels[2].gridPos: lies over panels[1]"]);
}

#[test]
fn a_link_to_nowhere() {
    let cases = [
        ("/d/redpane-nowhere", "there is no dashboard with the uid \"redpane-nowhere\""),
        ("/d/redpane-trace?var-trace=1", "has no variable \"trace\""),
        ("/explore?schemaVersion=1&orgId=1&panes=%7B%22a%22", "panes are no JSON"),
        (
            "/explore?schemaVersion=1&orgId=1&panes=%7B%22a%22%3A%7B%22datasource%22%3A%22loki%22%7D%7D",
            "pane a has no range.from",
        ),
        ("/somewhere", "leads neither to"),
        ("/d/redpane-trace?var-trace_id=${nothing}", "uses the variable $nothing"),
    ];
    for (url, part) in cases {
        let change = |dashboard: &mut Value| dashboard["links"][0]["url"] = json!(url);
        Copy::new().change(SERVICE, change).is_found(links::check, &[SERVICE, "links[0].url", part]);
    }
}

#[test]
fn a_promql_query_that_does_not_parse_or_names_what_does_not_exist() {
    let cases = [
        ("sum(rate(http_requests_total[5m])", "is no PromQL"),
        ("http_request_total", "no metric \"http_request_total\""),
        ("sum by (path) (http_requests_total)", "nothing has a label \"path\""),
        (r#"http_requests_total{code="500"}"#, "http_requests_total has no label \"code\""),
        (r#"http_request_duration_seconds_bucket{le="0.3"}"#, "has no bucket le=\"0.3\""),
        ("app:http_requests:rate1m", "no metric \"app:http_requests:rate1m\""),
        ("up == on (pod) up", "nothing has a label \"pod\""),
        ("up{app=\"$application\"}", "uses the variable $application"),
    ];
    for (query, part) in cases {
        let change = |dashboard: &mut Value| panel(dashboard, "stat")["targets"][0]["expr"] = json!(query);
        Copy::new().change(SERVICE, change).is_found(check_promql, &[SERVICE, "targets[0].expr", part]);
    }
    let change = |rules: &mut Value| rules["groups"][0]["rules"][0]["expr"] = json!("rate(http_hits_total[5m])");
    Copy::new()
        .change(RULES, change)
        .is_found(check_promql, &[RULES, "rules[app_route:http_requests:rate5m].expr", "http_hits_total"]);
    Copy::new()
        .append("docs/runbooks.md", "\n```promql\nup{\n```\n")
        .is_found(check_promql, &["docs/runbooks.md", "line", "no PromQL"]);
}

#[test]
fn a_logql_query_that_does_not_parse_or_selects_by_what_is_no_label() {
    let Some(parser) = logql::Parser::find() else { return };
    let check = |bundle: &Bundle| {
        let (queries, mut findings) = queries::collect(bundle);
        logql::check(&parser, &queries, &mut findings);
        findings
    };
    let cases = [
        (r#"{app="api"} | json | status >> 500"#, "is no LogQL, at"),
        (r#"sum by (app) (count_over_time({app="api"} | json)"#, "is no LogQL, at"),
        (r#"{job="api"}"#, "\"job\" is none of the labels"),
        (r#"{app=~".*"}"#, "no matcher excludes the empty value"),
    ];
    for (query, part) in cases {
        let change = |dashboard: &mut Value| panel(dashboard, "logs")["targets"][0]["expr"] = json!(query);
        Copy::new()
            .change("grafana/dashboards/logs.json", change)
            .is_found(check, &["logs.json", "targets[0].expr", part]);
    }
    Copy::new()
        .append("docs/runbooks.md", "\n```logql\n{app=}\n```\n")
        .is_found(check, &["docs/runbooks.md", "line", "no LogQL"]);
}

#[test]
fn an_alert_rule_that_leads_nowhere() {
    let cases: [(fn(&mut Value), &str); 12] = [
        (|rule| rule["labels"]["severity"] = json!("critical"), "labels.severity"),
        (|rule| rule["noDataState"] = Value::Null, "noDataState"),
        (|rule| rule["execErrState"] = json!("error"), "execErrState"),
        (|rule| rule["for"] = Value::Null, "for: is missing"),
        (|rule| rule["annotations"]["summary"] = json!(""), "annotations.summary"),
        (|rule| rule["annotations"]["summary"] = json!("{{ $values.Z.Value }}"), "reads a value that no refId has"),
        (|rule| rule["annotations"]["description"] = Value::Null, "annotations.description"),
        (
            |rule| rule["annotations"]["runbook_url"] = json!("https://x/blob/main/docs/runbooks.md#none"),
            "no section #none",
        ),
        (|rule| rule["panelId"] = json!(9999), "has no panel \"9999\""),
        (|rule| rule["dashboardUid"] = json!("redpane-none"), "there is no dashboard \"redpane-none\""),
        (|rule| rule["condition"] = json!("Z"), "condition: names no refId"),
        (|rule| rule["data"][0]["datasourceUid"] = json!("influx"), "data[0].datasourceUid"),
    ];
    for (change, part) in cases {
        let change = |alerts: &mut Value| change(&mut alerts["groups"][0]["rules"][0]);
        Copy::new()
            .change(ALERTS, change)
            .is_found(alerts::check, &[ALERTS, "groups[service].rules[any-5xx]", part].as_slice());
    }
    let section = "\n## nobody-asks\n";
    Copy::new()
        .append("docs/runbooks.md", section)
        .is_found(alerts::check, &["docs/runbooks.md", "nobody-asks", "no alert rule"]);
}

#[test]
fn a_notification_that_reaches_nobody_or_expands_to_nothing() {
    let check = notifications::check;
    let policies = "grafana/provisioning/alerting/policies.yaml";
    let route = |value: &mut Value| value["policies"][0]["routes"][0]["receiver"] = json!("nobody");
    Copy::new()
        .change(policies, route)
        .is_found(check, &[policies, "routes[0].receiver", "no contact point \"nobody\""]);
    let name = |value: &mut Value| value["contactPoints"][1]["name"] = json!("unused");
    Copy::new().change(POINTS, name).is_found(check, &[POINTS, "contactPoints[1].name", "no policy uses \"unused\""]);
    let url = |value: &mut Value| value["contactPoints"][1]["receivers"][0]["settings"]["url"] = json!("${SLACK_URL}");
    Copy::new().change(POINTS, url).is_found(check, &[POINTS, "settings.url", "$SLACK_URL by nothing"]);
    let title = |value: &mut Value| {
        value["contactPoints"][1]["receivers"][0]["settings"]["title"] = json!("{{ template \"x\" . }}")
    };
    Copy::new().change(POINTS, title).is_found(check, &[POINTS, "settings.title", "no template \"x\""]);
    Copy::new()
        .replace(SOURCES, "$${__value.raw}", "${__value.raw}")
        .is_found(check, &[SOURCES, "derivedFields[0].url", "$__value"]);
    let label = |value: &mut Value| value["groups"][0]["rules"][0]["labels"]["team"] = json!("{{ $labels.team }}");
    Copy::new().change(ALERTS, label).is_found(check, &[ALERTS, "rules[any-5xx].labels.team", "$labels"]);
}

#[test]
fn a_service_that_is_unpinned_exposed_or_unwatched() {
    let cases: [(fn(&mut Value), &str); 11] = [
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
    let label = |compose: &mut Value| compose["services"]["api"]["labels"]["logging_job"] = json!("web");
    Copy::new().change(COMPOSE, label).is_found(compose::check, &[COMPOSE, "services.api.labels.logging_job"]);
    Copy::new()
        .line("Dockerfile", "ARG BUILD_IMAGE=", "ARG BUILD_IMAGE=rust:latest")
        .is_found(compose::check, &["Dockerfile", "names no version"]);
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
    let path = "grafana/provisioning/datasources/redpane.yaml";
    let uid = |value: &mut Value| value["datasources"][1]["uid"] = json!("logs");
    Copy::new().change(path, uid).is_found(configs::check, &["no data source has the uid loki"]);
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
