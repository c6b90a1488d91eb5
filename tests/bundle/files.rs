//! The bundle's files: where they are, and their contents as one kind of value.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use serde_yaml_ng::Value as Yaml;

use crate::findings::Findings;

/// A folder that is laid out like this repository.
pub(crate) struct Bundle {
    root: PathBuf,
}

/// Folders that hold no file of the bundle.
const LEFT_OUT: [&str; 6] = ["target", ".git", "src", "benches", "node_modules", "deploy"];

impl Bundle {
    pub(crate) fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    pub(crate) fn repository() -> Self {
        Self::new(env!("CARGO_MANIFEST_DIR"))
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Paths of the files under `folder` (`""` is the root) with one of these endings, relative to the root and sorted.
    pub(crate) fn list(&self, folder: &str, endings: &[&str]) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.root.join(folder)];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
                let (path, name) = (entry.path(), entry.file_name());
                if path.is_dir() {
                    if !LEFT_OUT.iter().any(|left_out| name == *left_out) {
                        folders.push(path);
                    }
                } else if endings.iter().any(|ending| name.to_string_lossy().ends_with(ending)) {
                    let relative = path.strip_prefix(&self.root).expect("under the root");
                    found.push(relative.to_string_lossy().into_owned());
                }
            }
        }
        found.sort();
        found
    }

    pub(crate) fn exists(&self, file: &str) -> bool {
        self.root.join(file).exists()
    }

    /// The text of a file, or a finding and nothing.
    pub(crate) fn text(&self, file: &str, findings: &mut Findings) -> Option<String> {
        std::fs::read_to_string(self.root.join(file))
            .inspect_err(|error| findings.add(file, "", format!("cannot be read: {error}")))
            .ok()
    }

    /// A YAML or JSON file as JSON, anchors and merge keys resolved; or a finding and nothing.
    pub(crate) fn value(&self, file: &str, findings: &mut Findings) -> Option<Value> {
        let text = self.text(file, findings)?;
        let parsed = if file.ends_with(".json") {
            serde_json::from_str(&text).map_err(|error| error.to_string())
        } else {
            serde_yaml_ng::from_str::<Yaml>(&text).and_then(merged).map(json).map_err(|error| error.to_string())
        };
        parsed.inspect_err(|error| findings.add(file, "", format!("does not parse: {error}"))).ok()
    }

    /// Every file of `list` that parses, with its content.
    pub(crate) fn values(&self, folder: &str, endings: &[&str], findings: &mut Findings) -> Vec<(String, Value)> {
        let files = self.list(folder, endings).into_iter();
        files.filter_map(|file| self.value(&file, findings).map(|value| (file, value))).collect()
    }

    pub(crate) fn dashboards(&self, findings: &mut Findings) -> Vec<(String, Value)> {
        self.values("grafana/dashboards", &[".json"], findings)
    }

    pub(crate) fn alerting(&self, findings: &mut Findings) -> Vec<(String, Value)> {
        self.values("grafana/provisioning/alerting", &[".yaml", ".yml"], findings)
    }

    /// Every provisioned data source as (file, path in it, data source).
    pub(crate) fn datasources(&self, findings: &mut Findings) -> Vec<(String, String, Value)> {
        let mut found = Vec::new();
        for (file, value) in self.values("grafana/provisioning/datasources", &[".yaml", ".yml"], findings) {
            for (index, datasource) in items(&value["datasources"]).iter().enumerate() {
                found.push((file.clone(), format!("datasources[{index}]"), datasource.clone()));
            }
        }
        found
    }
}

/// Reads every YAML and JSON file of the repository that belongs to the bundle or runs it.
pub(crate) fn every_file_parses(bundle: &Bundle) -> Findings {
    let mut findings = Findings::default();
    let parsed = bundle.values("", &[".yml", ".yaml", ".json"], &mut findings);
    for expected in [
        "docker-compose.yml",
        "prometheus.yml",
        "prometheus-rules.yml",
        "loki-config.yml",
        "tempo-config.yml",
        "promtail-config.yml",
    ] {
        let read = parsed.iter().any(|(file, value)| file == expected && value.is_object());
        findings.expect(read, expected, "", "is missing, or is not a YAML mapping");
    }
    findings.expect(
        !bundle.dashboards(&mut Findings::default()).is_empty(),
        "grafana/dashboards",
        "",
        "has no dashboard",
    );
    findings
}

/// Resolves merge keys. One pass leaves those of what was merged in, so it takes as many as anchors are nested.
fn merged(mut value: Yaml) -> Result<Yaml, serde_yaml_ng::Error> {
    for _ in 0..4 {
        value.apply_merge()?;
    }
    Ok(value)
}

/// Drops tags (compose's `!override`) and turns keys into text.
fn json(value: Yaml) -> Value {
    match value {
        Yaml::Mapping(entries) => Value::Object(
            entries.into_iter().map(|(key, value)| (scalar(&json(key)), json(value))).collect::<Map<_, _>>(),
        ),
        Yaml::Sequence(items) => items.into_iter().map(json).collect(),
        Yaml::Tagged(tagged) => json(tagged.value),
        other => serde_json::to_value(other).unwrap_or_default(),
    }
}

/// A text, number or boolean as it would be written.
pub(crate) fn scalar(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The items of a list; nothing for anything else.
pub(crate) fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The entries of a mapping; nothing for anything else.
pub(crate) fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// Calls `visit` with the path of every text inside `value`.
pub(crate) fn texts(value: &Value, path: &str, visit: &mut dyn FnMut(&str, &str)) {
    match value {
        Value::String(text) => visit(path, text),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| texts(item, &format!("{path}[{index}]"), visit));
        }
        Value::Object(entries) => entries.iter().for_each(|(key, value)| {
            texts(value, &if path.is_empty() { key.clone() } else { format!("{path}.{key}") }, visit);
        }),
        _ => {}
    }
}
