//! values.yaml and its schema say the same, and the same as the service.

use std::collections::BTreeSet;

use redpane_service::settings::VARIABLES;
use serde_json::Value;

use crate::files::{CHART, yaml};

fn values() -> Value {
    yaml(&format!("{CHART}/values.yaml"))
}

fn schema() -> Value {
    yaml(&format!("{CHART}/values.schema.json"))
}

#[test]
fn every_value_is_in_the_schema_and_every_key_of_the_schema_has_a_default() {
    let schema = schema();
    let mut found = Vec::new();
    compare(&values(), &schema, &schema, "", &mut found);
    assert_eq!(found, Vec::<String>::new());
}

/// Objects whose keys are the user's to choose have no `properties`. Settings have defaults of their own, in the service.
fn compare(values: &Value, schema: &Value, root: &Value, path: &str, found: &mut Vec<String>) {
    let schema = match schema["$ref"].as_str() {
        Some(reference) => root.pointer(reference.trim_start_matches('#')).expect("a definition of the schema"),
        None => schema,
    };
    let (Some(values), Some(properties)) = (values.as_object(), schema["properties"].as_object()) else { return };
    if schema["additionalProperties"] != false {
        found.push(format!("{path}: a misspelt key would have no effect and no message"));
    }
    for key in values.keys().filter(|key| !properties.contains_key(*key)) {
        found.push(format!("{path}.{key} is not in the schema"));
    }
    for (key, property) in properties {
        let path = format!("{path}.{key}");
        match values.get(key) {
            Some(value) => compare(value, property, root, &path, found),
            None if own_default(&path) => {}
            None => found.push(format!("{path} has no default")),
        }
    }
}

/// Where a missing value means what Kubernetes or the service takes for it. Subcharts put `global` there.
fn own_default(path: &str) -> bool {
    path == ".global"
        || [".settings.", ".probes.", ".resources.", ".lifecycle."].iter().any(|part| path.starts_with(part))
}

#[test]
fn settings_of_the_schema_are_those_of_the_service() {
    let schema = schema();
    let settings = schema["properties"]["settings"]["properties"].as_object().expect("settings");
    let of_the_chart: BTreeSet<&str> = settings.keys().map(String::as_str).collect();
    let of_the_service: BTreeSet<&str> = VARIABLES.into_iter().collect();
    assert_eq!(of_the_chart, of_the_service);
}

#[test]
fn the_dashboards_of_the_schema_are_those_that_exist() {
    let schema = schema();
    let files = &schema["properties"]["grafana"]["properties"]["dashboards"]["properties"]["files"]["items"]["enum"];
    let mut named: Vec<String> = crate::files::texts(files).iter().map(|name| format!("{name}.json")).collect();
    named.sort();
    assert_eq!(named, crate::files::names("grafana/dashboards"));
}

#[test]
fn memory_is_four_times_what_clients_may_hold() {
    let values = values();
    let mebibytes = |value: &Value, unit: &str| -> u64 {
        let text = value.as_str().expect("a size");
        text.strip_suffix(unit).and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{text}"))
    };
    let clients = mebibytes(&values["settings"]["REDPANE_CLIENT_MEMORY"], "MiB");
    assert_eq!(mebibytes(&values["resources"]["limits"]["memory"], "Mi"), 4 * clients);
}
