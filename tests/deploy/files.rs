//! Files of the repository, read as one kind of value.

use std::path::{Path, PathBuf};

use serde_json::Value;
use serde_yaml_ng::Value as Yaml;

pub(crate) const CHART: &str = "deploy/helm/redpane";

pub(crate) fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

pub(crate) fn text(file: &str) -> String {
    std::fs::read_to_string(path(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// A file of one document.
pub(crate) fn yaml(file: &str) -> Value {
    let mut documents = documents(&text(file), file);
    assert_eq!(documents.len(), 1, "{file} has more than one document");
    documents.remove(0)
}

/// Every document of a text that is not empty, anchors and merge keys resolved.
pub(crate) fn documents(text: &str, name: &str) -> Vec<Value> {
    use serde::Deserialize;
    let parsed = serde_yaml_ng::Deserializer::from_str(text).map(|document| {
        let mut value = Yaml::deserialize(document).unwrap_or_else(|error| panic!("{name}: {error}"));
        value.apply_merge().unwrap_or_else(|error| panic!("{name}: {error}"));
        serde_json::to_value(value).unwrap_or_else(|error| panic!("{name}: {error}"))
    });
    parsed.filter(|value| !value.is_null()).collect()
}

/// The names of the files in a folder, sorted.
pub(crate) fn names(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(path(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("a readable folder").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The items of a list; nothing for anything else.
pub(crate) fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The texts of a list.
pub(crate) fn texts(value: &Value) -> Vec<&str> {
    items(value).iter().filter_map(Value::as_str).collect()
}
