//! The bundle under a project name and on ports of its own, gone when the test is, however that ends.

use std::net::TcpListener;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::collector::Collector;
use crate::http::{Answer, Request, send};

/// Replicas of the service.
pub(crate) const REPLICAS: usize = 3;
/// `admin:redpane`, the bundle's default, as HTTP's basic authentication has it.
const ADMIN: &str = "Basic YWRtaW46cmVkcGFuZQ==";

/// A running bundle. Dropping it removes containers, networks and volumes.
pub(crate) struct Bundle {
    pub(crate) project: String,
    pub(crate) api: u16,
    pub(crate) prometheus: u16,
    pub(crate) loki: u16,
    pub(crate) tempo: u16,
    pub(crate) grafana: u16,
    pub(crate) collector: Collector,
}

/// What keeps the bundle from starting here, or nothing.
pub(crate) fn missing() -> Option<String> {
    let works = |arguments: &[&str]| docker(arguments).is_ok_and(|output| output.status.success());
    if !works(&["version"]) {
        return Some("a Docker daemon that `docker version` reaches".into());
    }
    if !works(&["compose", "version"]) {
        return Some("the plugin `docker compose`".into());
    }
    let mut compose = Command::new("docker");
    compose.args(["compose", "--project-directory", root(), "config", "--images"]);
    let output = compose.env("COMPOSE_FILE", Collector::chosen().compose_files()).output().ok()?;
    let images = String::from_utf8_lossy(&output.stdout);
    // Built here, not pulled.
    let pulled =
        images.lines().filter(|image| !image.starts_with("redpane:") && !image.starts_with("redpane-settings:"));
    let absent: Vec<_> = pulled.filter(|image| !works(&["image", "inspect", image])).collect();
    (!absent.is_empty()).then(|| format!("images ({}): docker compose pull --ignore-buildable", absent.join(", ")))
}

pub(crate) fn root() -> &'static str {
    env!("CARGO_MANIFEST_DIR")
}

pub(crate) fn docker(arguments: &[&str]) -> std::io::Result<Output> {
    Command::new("docker").args(arguments).output()
}

impl Bundle {
    /// Builds the image and starts everything, with three replicas; panics unless all of it becomes healthy.
    pub(crate) fn up() -> Self {
        let listeners = [(); 5].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [api, prometheus, loki, tempo, grafana] =
            listeners.each_ref().map(|listener| listener.local_addr().unwrap().port());
        drop(listeners);
        let project = format!("redpane-test-{}", std::process::id());
        let bundle = Self { project, api, prometheus, loki, tempo, grafana, collector: Collector::chosen() };
        println!("project {}, ports {api} {prometheus} {loki} {tempo} {grafana}", bundle.project);
        bundle.timed("image built", &["build", "api"]);
        let scale = format!("api={REPLICAS}");
        bundle.timed("everything healthy", &["up", "-d", "--wait", "--wait-timeout", "300", "--scale", &scale]);
        bundle
    }

    fn timed(&self, what: &str, arguments: &[&str]) {
        let from = Instant::now();
        self.compose(arguments);
        println!("{what} after {:.0} s", from.elapsed().as_secs_f64());
    }

    /// `docker compose` for this project, with all that a `.env` or the shell could change set or empty.
    fn command(&self) -> Command {
        let mut command = Command::new("docker");
        command.args(["compose", "-p", &self.project, "--project-directory", root(), "--env-file", "/dev/null"]);
        let ports = [self.api, self.prometheus, self.loki, self.tempo, self.grafana].map(|port| port.to_string());
        for (name, port) in
            ["API_PORT", "PROMETHEUS_PORT", "LOKI_PORT", "TEMPO_PORT", "GRAFANA_PORT"].iter().zip(&ports)
        {
            command.env(name, port);
        }
        for name in ["SLACK_WEBHOOK_URL", "PAGERDUTY_ROUTING_KEY", "ALERT_WEBHOOK_URL"] {
            command.env(name, "");
        }
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("REDPANE_")) {
            command.env_remove(name);
        }
        command.env_remove("LOGGING_FILTER").env("COMPOSE_FILE", self.collector.compose_files());
        command.envs([
            ("GRAFANA_ANONYMOUS", "true"),
            ("GRAFANA_ADMIN_PASSWORD", "redpane"),
            ("REDPANE_FAULTS", "true"),
        ]);
        command
    }

    /// Runs `docker compose` with other values, which must fail. Gives what it said on the terminal.
    pub(crate) fn compose_fails(&self, values: &[(&str, &str)], arguments: &[&str]) -> String {
        let output = self.command().envs(values.iter().copied()).args(arguments).output().unwrap();
        assert!(!output.status.success(), "docker compose {} with {values:?} did not fail", arguments.join(" "));
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    }

    /// Starts the services again with other values.
    pub(crate) fn up_with(&self, values: &[(&str, &str)]) {
        let scale = format!("api={REPLICAS}");
        let arguments = ["up", "-d", "--wait", "--wait-timeout", "300", "--scale", &scale];
        let output = self.command().envs(values.iter().copied()).args(arguments).output().unwrap();
        assert!(output.status.success(), "{values:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Another bundle's name, on the ports of this one: nothing of it may be started.
    pub(crate) fn other(&self) -> Self {
        Self { project: format!("{}-other", self.project), ..*self }
    }

    /// Runs `docker compose` and gives what it printed; panics with what it said when it fails.
    pub(crate) fn compose(&self, arguments: &[&str]) -> String {
        let output = self.command().args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "docker compose {}: {said}", arguments.join(" "));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The containers as `docker compose ps` describes them.
    pub(crate) fn containers(&self) -> Vec<Value> {
        let printed = self.compose(&["ps", "--all", "--format", "json"]);
        printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// An image of the bundle with a shell: most have none.
    pub(crate) fn image_with_shell(&self) -> String {
        let containers = self.containers();
        let gateway = containers.iter().find(|container| container["Service"] == "gateway").unwrap();
        gateway["Image"].as_str().unwrap().to_owned()
    }

    /// Waits until every container is healthy again.
    pub(crate) fn wait_until_healthy(&self) {
        eventually("every container is healthy", 120, || {
            let ill = |container: &&Value| !healthy(container);
            match self.containers().iter().find(ill) {
                Some(container) => Err(format!("{} is {}", container["Name"], container["Status"])),
                None => Ok(()),
            }
        });
    }

    /// Restarts one container by its name, gracefully.
    pub(crate) fn restart(&self, container: &str) {
        let output = docker(&["restart", "--time", "30", container]).unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// A request to Grafana as its admin.
    pub(crate) fn grafana(&self, method: &str, path: &str, body: &str) -> Answer {
        let headers = [("Authorization", ADMIN), ("Content-Type", "application/json")];
        send(self.grafana, &Request { method, path, headers: &headers, body })
            .unwrap_or_else(|error| panic!("Grafana, {method} {path}: {error}"))
    }

    /// A command that finds the bundle where the scripts look for it.
    pub(crate) fn script(&self, name: &str) -> Command {
        let mut command = Command::new(format!("{}/scripts/{name}", root()));
        command.env("URL", format!("http://127.0.0.1:{}", self.api));
        command.env("GRAFANA_URL", format!("http://127.0.0.1:{}", self.grafana));
        command.env("LOKI_URL", format!("http://127.0.0.1:{}", self.loki));
        command.env("GRAFANA_ADMIN_PASSWORD", "redpane");
        // The drill of `payment` asks Compose for this bundle, not for the one of the folder.
        command.envs([("COMPOSE_PROJECT_NAME", self.project.as_str()), ("COMPOSE_ENV_FILES", "/dev/null")]);
        command.env("COMPOSE_FILE", self.collector.compose_files());
        command
    }
}

/// Tempo's image has no program that could ask whether it is ready: Grafana's health check does.
pub(crate) fn healthy(container: &Value) -> bool {
    if container["Service"] == "tempo" { container["State"] == "running" } else { container["Health"] == "healthy" }
}

impl Drop for Bundle {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let logs = self.command().args(["logs", "--no-color", "--tail", "15"]).output();
            println!("{}", logs.map(|logs| String::from_utf8_lossy(&logs.stdout).into_owned()).unwrap_or_default());
        }
        let down = self.command().args(["down", "--volumes", "--remove-orphans", "--timeout", "5"]).output();
        match down {
            Ok(output) if output.status.success() => println!("project {} removed", self.project),
            other => println!("docker compose -p {} down --volumes failed: {other:?}", self.project),
        }
    }
}

/// Asks again until the answer is right; panics with the last wrong one after so many seconds.
pub(crate) fn eventually<T>(what: &str, seconds: u64, mut ask: impl FnMut() -> Result<T, String>) -> T {
    let from = Instant::now();
    loop {
        match ask() {
            Ok(answer) => return answer,
            Err(wrong) if from.elapsed() > Duration::from_secs(seconds) => {
                panic!("not within {seconds} s: {what}: {wrong}")
            }
            Err(_) => std::thread::sleep(Duration::from_secs(1)),
        }
    }
}
