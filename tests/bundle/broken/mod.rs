//! Proof that the checks can fail: each test breaks one thing in a copy of the bundle and asserts that the check names
//! the file and the place.

mod grafana;
mod numbers;
mod parts;
mod spans;
mod stack;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::files::Bundle;
use crate::findings::Findings;

const SERVICE: &str = "grafana/dashboards/service.json";
const COMPOSE: &str = "docker-compose.yml";
const RULES: &str = "prometheus-rules.yml";
const ALERTS: &str = "grafana/provisioning/alerting/rules-service.yaml";
const POINTS: &str = "grafana/provisioning/alerting/contact-points.yaml";
const SOURCES: &str = "grafana/provisioning/datasources/redpane.yaml";

/// A change to a file's content, and what the fault it makes must say.
type Case = (fn(&mut Value), &'static str);

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
            std::fs::create_dir_all(target.parent().expect("a file is in a folder")).expect("the folder can be made");
            std::fs::copy(repository.root().join(&file), target).expect("the file can be copied");
        }
        copy
    }

    fn bundle(&self) -> Bundle {
        Bundle::new(&self.0)
    }

    /// Changes a YAML or JSON file as a value. JSON is YAML, so it is written as JSON.
    fn change(&self, file: &str, change: impl FnOnce(&mut Value)) -> &Self {
        let mut findings = Findings::default();
        let mut value = self.bundle().value(file, &mut findings).expect("the file parses");
        let before = value.clone();
        change(&mut value);
        assert_ne!(value, before, "the change must change {file}");
        std::fs::write(self.0.join(file), value.to_string()).expect("the file can be written");
        self
    }

    fn edit(&self, file: &str, edit: impl FnOnce(&str) -> String) -> &Self {
        let text = std::fs::read_to_string(self.0.join(file)).expect("the file can be read");
        std::fs::write(self.0.join(file), edit(&text)).expect("the file can be written");
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
    let panels = dashboard["panels"].as_array_mut().expect("a dashboard has panels");
    panels.iter_mut().find(|panel| panel["type"] == kind).expect("a panel of this kind")
}

/// The panel of this title.
fn titled<'a>(dashboard: &'a mut Value, title: &str) -> &'a mut Value {
    let panels = dashboard["panels"].as_array_mut().expect("a dashboard has panels");
    panels.iter_mut().find(|panel| panel["title"] == title).expect("a panel of this title")
}
