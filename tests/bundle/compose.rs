//! docker-compose.yml and Dockerfile: pinned, confined, watched, and reachable from this machine only.

use std::collections::BTreeSet;

use serde_json::Value;
use test_support::bundle::SERVICES;

use crate::files::{Bundle, entries, items, scalar};
use crate::findings::Findings;
use crate::limits;

/// The service whose image is built to check all values; it never runs.
const CHECK: &str = "settings";

/// The most that one program may take, in bytes: the whole store of lines, of spans, of metrics.
const STORE_MEMORY: u64 = 512 << 20;
/// What the whole bundle may take.
const ALL_MEMORY: u64 = 2560 << 20;

pub(crate) fn check(bundle: &Bundle) -> Findings {
    let mut findings = Findings::default();
    let dockerfile = bundle.text("Dockerfile", &mut findings).unwrap_or_default();
    images(&dockerfile, &mut findings);
    let main = bundle.value("docker-compose.yml", &mut findings).unwrap_or_default();
    let own_health = dockerfile.lines().any(|line| line.starts_with("HEALTHCHECK"));
    for file in bundle.list("", &[".yml"]).into_iter().filter(|file| file.starts_with("docker-compose")) {
        let Some(compose) = bundle.value(&file, &mut findings) else { continue };
        findings.expect(compose.get("version").is_none(), &file, "version", "is obsolete and ignored with a warning");
        let built: BTreeSet<&str> = entries(&compose["services"])
            .filter(|(_, one)| !one["build"].is_null())
            .filter_map(|(_, one)| one["image"].as_str())
            .collect();
        for (name, service) in entries(&compose["services"]) {
            if name == CHECK {
                checked_first(&file, service, &mut findings);
                continue;
            }
            let extends = file != "docker-compose.yml" && main["services"].get(name).is_some();
            let mut service = Service { file: &file, name, service, findings: &mut findings };
            service.exposure(bundle);
            if !extends {
                service.lifetime(built.contains(service.service["image"].as_str().unwrap_or_default()));
                service.confinement();
            }
            if file == "docker-compose.yml" {
                let own_health = own_health && built.contains(service.service["image"].as_str().unwrap_or_default());
                service.complete(own_health || asked_by_another(name, &compose));
            }
        }
        volumes(&file, &compose, &main, &mut findings);
    }
    for name in SERVICES {
        let path = format!("services.{name}");
        findings.expect(main["services"].get(name).is_some(), "docker-compose.yml", &path, "is missing");
    }
    for name in ["api", "orders", "stock", "payment", "alerts"] {
        let label = &main["services"][name]["labels"]["logging_job"];
        let path = format!("services.{name}.labels.logging_job");
        findings.expect(
            label == name,
            "docker-compose.yml",
            &path,
            format!("must be {name:?}, the `app` of its log lines"),
        );
    }
    findings.expect(main["services"].get(CHECK).is_some(), "docker-compose.yml", "services.settings", "is missing");
    let check = bundle.text("settings.Dockerfile", &mut findings).unwrap_or_default();
    let gateway = scalar(&main["services"]["gateway"]["image"]);
    let same = check.lines().any(|line| line == format!("ARG IMAGE={gateway}"));
    findings.expect(
        same,
        "settings.Dockerfile",
        "ARG IMAGE",
        format!("must be {gateway}: no other image is pulled for it"),
    );
    apart(&main, &mut findings);
    memory(&main, &mut findings);
    limits::shown(bundle, &main, &mut findings);
    findings
}

/// Where an image has no program that could ask whether its own is ready, the health check of another service asks it.
fn asked_by_another(name: &str, compose: &Value) -> bool {
    let address = format!("http://{name}:");
    entries(&compose["services"]).any(|(other, service)| {
        other != name && items(&service["healthcheck"]["test"]).iter().any(|word| scalar(word).starts_with(&address))
    })
}

/// A computer with 4 GB runs the bundle, and no store takes more than its share.
fn memory(main: &Value, findings: &mut Findings) {
    let mut all = 0;
    for (name, service) in entries(&main["services"]) {
        let limit = bytes(&service["deploy"]["resources"]["limits"]["memory"]).unwrap_or_default();
        let path = format!("services.{name}.deploy.resources.limits.memory");
        findings.expect(limit <= STORE_MEMORY, "docker-compose.yml", &path, "must be at most 512M");
        all += limit;
    }
    let fault = format!("have memory limits of {}M together; must be below {}M", all >> 20, ALL_MEMORY >> 20);
    findings.expect(all < ALL_MEMORY, "docker-compose.yml", "services", fault);
}

/// The check of all values runs at every `up`, before anything starts, and leaves no container.
fn checked_first(file: &str, service: &Value, findings: &mut Findings) {
    let mut expect =
        |right: bool, key: &str, fault: &str| findings.expect(right, file, &format!("services.{CHECK}.{key}"), fault);
    expect(service["pull_policy"] == "build", "pull_policy", "must be build: then it is checked at every `up`");
    expect(service["scale"] == 0, "scale", "must be 0: it is no container");
    let image = scalar(&service["image"]);
    expect(image.contains("${COMPOSE_PROJECT_NAME:?"), "image", "must tell docker-compose 1.x what is needed instead");
}

/// Bundles on one machine keep apart, and only one container has the Docker socket.
fn apart(main: &Value, findings: &mut Findings) {
    const FILE: &str = "docker-compose.yml";
    let filter = scalar(&main["services"]["promtail"]["environment"]["LOGGING_FILTER"]);
    let own = filter.contains(":-com.docker.compose.project=${COMPOSE_PROJECT_NAME}}");
    let path = "services.promtail.environment.LOGGING_FILTER";
    findings.expect(own, FILE, path, "must collect only this project by default");
    for (name, service) in entries(&main["services"]) {
        for (index, volume) in items(&service["volumes"]).iter().enumerate() {
            let path = format!("services.{name}.volumes[{index}]");
            if scalar(volume).contains("docker.sock") {
                findings.expect(name == "docker-reader", FILE, &path, "only docker-reader may have the Docker socket");
                findings.expect(
                    volume["source"] == "${DOCKER_SOCKET:-/var/run/docker.sock}",
                    FILE,
                    &path,
                    "must have the source ${DOCKER_SOCKET:-…}: rootless Docker has it elsewhere",
                );
                let kept = volume["bind"]["create_host_path"] == false;
                findings.expect(kept, FILE, &path, "must have create_host_path: false, or Docker makes a folder there");
            }
        }
    }
}

struct Service<'a> {
    file: &'a str,
    name: &'a str,
    service: &'a Value,
    findings: &'a mut Findings,
}

impl Service<'_> {
    fn expect(&mut self, right: bool, key: &str, fault: &str) {
        self.findings.expect(right, self.file, &format!("services.{}.{key}", self.name), fault);
    }

    /// What other machines and containers can reach, and whether mounted files exist.
    fn exposure(&mut self, bundle: &Bundle) {
        let service = self.service;
        for (index, port) in items(&service["ports"]).iter().enumerate() {
            let local = scalar(port).starts_with("127.0.0.1:") || port["host_ip"] == "127.0.0.1";
            self.expect(local, &format!("ports[{index}]"), "must be bound to 127.0.0.1");
        }
        for key in ["container_name", "privileged", "network_mode", "pid", "ipc"] {
            self.expect(service.get(key).is_none(), key, "must not be set");
        }
        for (index, volume) in items(&service["volumes"]).iter().enumerate().filter(|(_, volume)| volume.is_string()) {
            let volume = scalar(volume);
            let source = volume.split(':').next().unwrap_or_default();
            let path = format!("volumes[{index}]");
            if let Some(file) = source.strip_prefix("./") {
                self.expect(
                    bundle.exists(file),
                    &path,
                    &format!("{source} does not exist: Docker would make a folder"),
                );
                let options: Vec<&str> = volume.rsplit(':').next().unwrap_or_default().split(',').collect();
                self.expect(options.contains(&"ro"), &path, "must be read-only (:ro,z)");
                self.expect(options.contains(&"z"), &path, "must have z: SELinux closes it otherwise");
            }
        }
    }

    fn lifetime(&mut self, built: bool) {
        let service = self.service;
        let image = service["image"].as_str().unwrap_or_default();
        self.expect(
            built || pinned(image),
            "image",
            &format!("{image:?} must have a full version (1.2.3) or a digest"),
        );
        self.expect(service["restart"] == "unless-stopped", "restart", "must be unless-stopped");
        let limits = &service["deploy"]["resources"]["limits"];
        self.expect(bytes(&limits["memory"]).is_some(), "deploy.resources.limits.memory", "is missing");
        let cpus = scalar(&limits["cpus"]).parse::<f64>().is_ok_and(|cpus| cpus > 0.0);
        self.expect(cpus, "deploy.resources.limits.cpus", "is missing");
    }

    fn confinement(&mut self) {
        let options = items(&self.service["security_opt"]);
        let set = options.iter().any(|option| option == "no-new-privileges:true" || option == "no-new-privileges");
        self.expect(set, "security_opt", "must have no-new-privileges:true");
    }

    /// What every service of the bundle itself has on top.
    fn complete(&mut self, own_health: bool) {
        let service = self.service;
        let test = &service["healthcheck"]["test"];
        self.expect(
            own_health || test.is_array() || test.is_string(),
            "healthcheck",
            "is missing, and the image has none",
        );
        self.expect(service["healthcheck"]["disable"] != true, "healthcheck.disable", "must not be true");
        self.expect(service["cap_drop"] == serde_json::json!(["ALL"]), "cap_drop", "must be [ALL]");
        self.expect(service["read_only"] == true, "read_only", "must be true");
        for option in ["max-size", "max-file"] {
            let set = service["logging"]["options"][option].is_string();
            self.expect(set, &format!("logging.options.{option}"), "is missing: the log would fill the disk");
        }
    }
}

/// Named volumes are declared where they are used, and dependencies exist.
fn volumes(file: &str, compose: &Value, main: &Value, findings: &mut Findings) {
    let declared = |name: &str| [compose, main].iter().any(|value| value["volumes"].get(name).is_some());
    let mut used = BTreeSet::new();
    for (name, service) in entries(&compose["services"]) {
        for (index, volume) in items(&service["volumes"]).iter().enumerate().filter(|(_, volume)| volume.is_string()) {
            let volume = scalar(volume);
            let source = volume.split(':').next().unwrap_or_default();
            if !source.starts_with(['.', '/']) {
                used.insert(source.to_owned());
                let path = format!("services.{name}.volumes[{index}]");
                findings.expect(declared(source), file, &path, format!("{source:?} is not declared under volumes"));
            }
        }
        let depends = &service["depends_on"];
        let named =
            entries(depends).map(|(name, _)| name.as_str()).chain(items(depends).iter().filter_map(Value::as_str));
        for other in named {
            let exists = [compose, main].iter().any(|value| value["services"].get(other).is_some());
            findings.expect(
                exists,
                file,
                &format!("services.{name}.depends_on"),
                format!("there is no service {other:?}"),
            );
        }
    }
    for (name, _) in entries(&compose["volumes"]) {
        findings.expect(used.contains(name), file, &format!("volumes.{name}"), "is used by no service");
    }
}

/// The base images are build arguments with a version, and the last stage is fit to run.
fn images(dockerfile: &str, findings: &mut Findings) {
    let argument = |name: &str| {
        let wanted = format!("ARG {name}=");
        dockerfile.lines().find_map(|line| line.strip_prefix(wanted.as_str())).map(str::to_owned)
    };
    let mut stages = Vec::new();
    for (number, line) in dockerfile.lines().enumerate() {
        let Some(rest) = line.strip_prefix("FROM ") else { continue };
        let mut words = rest.split_whitespace();
        let image = words.next().unwrap_or_default();
        stages.extend(words.nth(1));
        if stages.contains(&image) {
            continue;
        }
        let path = format!("line {}", number + 1);
        let image = match image.strip_prefix("${").and_then(|name| name.strip_suffix('}')) {
            Some(name) => argument(name).unwrap_or_default(),
            None => {
                findings.add("Dockerfile", &path, format!("{image} must be a build argument: ARG …, FROM ${{…}}"));
                image.to_owned()
            }
        };
        let tag = image.rsplit_once(':').map_or("latest", |(_, tag)| tag);
        let version =
            image.rsplit('/').next().is_some_and(|name| name.contains(|letter: char| letter.is_ascii_digit()));
        findings.expect(version && tag != "latest", "Dockerfile", &path, format!("{image:?} names no version"));
    }
    for instruction in ["USER ", "HEALTHCHECK ", "STOPSIGNAL ", "ENTRYPOINT ", "LABEL org.opencontainers.image."] {
        let found = dockerfile.lines().any(|line| line.starts_with(instruction));
        findings.expect(found, "Dockerfile", instruction.trim(), "is missing");
    }
}

/// Whether an image's tag is a full version, or it is named by its digest.
fn pinned(image: &str) -> bool {
    let tag = image.rsplit('/').next().and_then(|name| name.split_once(':')).map_or("", |(_, tag)| tag);
    let parts: Vec<&str> = tag.trim_start_matches('v').split(['.', '-']).collect();
    let numeric = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    image.contains("@sha256:") || (parts.len() >= 3 && parts.iter().take(3).all(numeric))
}

/// A size as compose writes it (`512M`) in bytes.
pub(crate) fn bytes(value: &Value) -> Option<u64> {
    let text = value.as_str()?.to_ascii_lowercase();
    let text = text.trim_end_matches('b');
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let shift = match &text[digits.len()..] {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        _ => return None,
    };
    Some(digits.parse::<u64>().ok()? << shift)
}

#[test]
fn only_full_versions_are_pinned() {
    for right in ["grafana/loki:3.7.6", "prom/prometheus:v3.13.2", "registry:5000/a/b:1.2.3-alpine", "a@sha256:00"] {
        assert!(pinned(right), "{right}");
    }
    for wrong in
        ["grafana/loki", "grafana/loki:latest", "grafana/loki:3", "grafana/loki:3.7", "registry:5000/loki", "a:b.c.d"]
    {
        assert!(!pinned(wrong), "{wrong}");
    }
}
