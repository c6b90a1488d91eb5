//! Containers, targets, and the labels that tie metrics and log lines together.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use serde_json::Value;
use test_support::bundle::SERVICES;

use crate::bundle::{Bundle, REPLICAS, docker, eventually, healthy};
use crate::http::{Request, encode, get, send};

/// What Prometheus finds one of: all but the service that is scaled.
fn single() -> impl Iterator<Item = &'static str> {
    SERVICES.into_iter().filter(|service| *service != "api")
}

pub(crate) fn everything_is_healthy_and_on_this_machine_only(bundle: &Bundle) {
    let containers = bundle.containers();
    let names = |service: &str| containers.iter().filter(|one| one["Service"] == service).count();
    assert_eq!(names("api"), REPLICAS);
    for job in single() {
        let service = if job == "promtail" { bundle.collector.service() } else { job };
        assert_eq!(names(service), 1, "{service}");
    }
    for container in &containers {
        assert!(healthy(container), "{container}");
        for publisher in container["Publishers"].as_array().into_iter().flatten() {
            let open = publisher["PublishedPort"] != 0 && publisher["URL"] != "127.0.0.1";
            assert!(!open, "{}: a port is open to other machines: {publisher}", container["Name"]);
        }
    }
    println!("  {} containers healthy", containers.len());
    // Tempo itself has no health check. An empty message is one that it takes or refuses like any other.
    let spans = ["exec", "-T", "grafana", "curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-X", "POST"];
    let to = ["-H", "Content-Type: application/x-protobuf", "http://tempo:4318/v1/traces"];
    assert_eq!(bundle.compose(&[&spans[..], &to].concat()), "200", "spans are accepted when `up --wait` has returned");
}

/// After minutes of traffic: what grows until a limit of `docker-compose.yml` is reached does so by then.
pub(crate) fn nothing_was_killed_for_memory(bundle: &Bundle) {
    for container in bundle.containers() {
        let name = container["Name"].as_str().unwrap();
        let killed = docker(&["inspect", "--format", "{{.State.OOMKilled}}", name]).unwrap();
        assert_eq!(String::from_utf8_lossy(&killed.stdout).trim(), "false", "{name} was killed for its memory");
    }
}

pub(crate) fn every_target_is_up(bundle: &Bundle) {
    eventually("three replicas and one of each other are up", 60, || {
        let answer = get(bundle.prometheus, "/api/v1/targets?state=active").json();
        let targets = answer["data"]["activeTargets"].as_array().unwrap();
        let up = |job: &str| targets.iter().filter(|one| one["labels"]["job"] == job && one["health"] == "up").count();
        let right = up("api") == REPLICAS && single().all(|job| up(job) == 1);
        let all_known = targets.len() == REPLICAS + single().count();
        let describe = |one: &Value| format!("{} {} {}", one["labels"], one["health"], one["lastError"]);
        if right && all_known { Ok(()) } else { Err(targets.iter().map(describe).collect::<Vec<_>>().join("\n")) }
    });
}

/// `client` is who connected to the gateway: neither the gateway, nor whom a request names.
pub(crate) fn the_client_is_who_connected(bundle: &Bundle) {
    let claims = [("X-Forwarded-For", "8.8.8.8"), ("Forwarded", "for=8.8.8.8"), ("X-Request-Id", "who-connected")];
    let request = Request { method: "GET", path: "/", headers: &claims, body: "" };
    assert_eq!(send(bundle.api, &request).unwrap().status, 200);
    let line = eventually("the line of the request", 30, || {
        let lines = bundle.lines(r#"{app="api"} | json | request_id="who-connected""#);
        lines.into_iter().next().ok_or_else(|| "no line".to_owned())
    });
    let line: Value = serde_json::from_str(&line.text).unwrap();
    let client: SocketAddr = line["client"].as_str().unwrap().parse().unwrap();
    // Whoever comes through a published port of this machine has the first address of Docker's network.
    let network = format!("{}_default", bundle.project);
    let output = docker(&["network", "inspect", "--format", "{{(index .IPAM.Config 0).Gateway}}", &network]).unwrap();
    assert_eq!(client.ip().to_string(), String::from_utf8_lossy(&output.stdout).trim(), "{line}");
}

pub(crate) fn labels_are_the_same_in_both_stores(bundle: &Bundle) {
    let path = format!("/loki/api/v1/series?match[]={}", encode(r#"{app="api"}"#));
    let answer = get(bundle.loki, &path).json();
    let streams = answer["data"].as_array().unwrap();
    let wanted = BTreeSet::from(["app", "instance", "container", "level"]);
    let mut logged = BTreeSet::new();
    for stream in streams {
        let labels = stream.as_object().unwrap();
        let names: BTreeSet<&str> = labels.keys().map(String::as_str).collect();
        assert_eq!(names, wanted, "{stream}");
        logged.insert(labels["instance"].as_str().unwrap().to_owned());
    }
    let up = bundle.promql(r#"up{app="api"} == 1"#);
    let scraped: BTreeSet<String> = up.into_iter().map(|(mut labels, _)| labels.remove("instance").unwrap()).collect();
    assert_eq!(logged, scraped, "Loki's instances and Prometheus' must be the same");
    assert_eq!(scraped.len(), REPLICAS);
    println!("  {} streams of {scraped:?}", streams.len());
}
