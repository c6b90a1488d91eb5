//! The names of all settings, and the nearest one for a name that does not exist.

/// Every variable the service reads. Each has a flag of the same name: `REDPANE_LISTEN` is `--listen`.
pub const VARIABLES: [&str; 25] = [
    "REDPANE_LISTEN",
    "REDPANE_METRICS_LISTEN",
    "REDPANE_PANE_LISTEN",
    "REDPANE_PANE_TOKEN",
    "REDPANE_APP",
    "REDPANE_LOG",
    "REDPANE_LOG_FORMAT",
    "REDPANE_LOG_BUFFER_BYTES",
    "REDPANE_LOG_WHEN_FULL",
    "REDPANE_ACCESS_SAMPLE",
    "REDPANE_ACCESS_SLOW",
    "REDPANE_UPSTREAM",
    "REDPANE_TRUSTED_PROXIES",
    "REDPANE_PROXY_PROTOCOL_FROM",
    "REDPANE_REQUEST_TIMEOUT",
    "REDPANE_HEADER_TIMEOUT",
    "REDPANE_BODY_LIMIT",
    "REDPANE_MAX_CONNECTIONS",
    "REDPANE_CLIENT_MEMORY",
    "REDPANE_SHUTDOWN_GRACE",
    "REDPANE_LAST_SCRAPE",
    "REDPANE_SERIES_LIMIT",
    "REDPANE_METRIC_NAMES",
    "REDPANE_TRACE_KEEP",
    "REDPANE_FAULTS",
];

/// The flag that sets the same as `variable`: `REDPANE_LOG_FORMAT` is `--log-format`.
#[must_use]
pub fn flag(variable: &str) -> String {
    let name = variable.strip_prefix("REDPANE_").unwrap_or(variable);
    format!("--{}", name.to_ascii_lowercase().replace('_', "-"))
}

/// Those of `names` that start with `REDPANE_` and are not in [`VARIABLES`], each with the nearest name that is. A
/// misspelt variable would otherwise have no effect and no message.
pub fn unknown_variables(names: impl IntoIterator<Item = String>) -> Vec<(String, &'static str)> {
    let names: Vec<String> = names.into_iter().filter(|name| name.starts_with("REDPANE_")).collect();
    // Kubernetes describes a Service called "redpane" to every container in variables of this shape.
    let beside_service = names.iter().any(|name| name == "REDPANE_SERVICE_HOST");
    let of_service = |name: &str| name.starts_with("REDPANE_SERVICE_") || name.starts_with("REDPANE_PORT");
    let unknown = names.into_iter().filter(|name| {
        !VARIABLES.contains(&name.as_str()) && name != "REDPANE_REVISION" && !(beside_service && of_service(name))
    });
    unknown.map(|name| (nearest(&name), name)).map(|(nearest, name)| (name, nearest)).collect()
}

fn nearest(name: &str) -> &'static str {
    let closeness = |known: &&&str| (strsim::jaro_winkler(name, known) * 1e6) as u64;
    VARIABLES.iter().max_by_key(closeness).copied().unwrap_or("REDPANE_LISTEN")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_variable_is_named_with_the_nearest() {
        let names = ["REDPANE_LISTEN", "REDPANE_LISTN", "REDPANE_BODYLIMIT", "PATH"].map(str::to_owned);
        let expected = [("REDPANE_LISTN", "REDPANE_LISTEN"), ("REDPANE_BODYLIMIT", "REDPANE_BODY_LIMIT")];
        assert_eq!(unknown_variables(names), expected.map(|(name, near)| (name.to_owned(), near)));
    }

    #[test]
    fn variables_that_kubernetes_makes_for_a_service_are_no_typos() {
        let names = ["REDPANE_SERVICE_HOST", "REDPANE_SERVICE_PORT", "REDPANE_PORT_8000_TCP_ADDR"].map(str::to_owned);
        assert_eq!(unknown_variables(names), []);
        assert_eq!(unknown_variables(["REDPANE_PORT".to_owned()]).len(), 1);
    }
}
