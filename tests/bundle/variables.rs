//! Grafana's variables in queries and links: which are used, and what stands in for them when a query is parsed.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::files::{items, scalar};

/// Names a dashboard's query may use, each with a value it could have.
#[derive(Debug, Default, Clone)]
pub(crate) struct Variables(BTreeMap<String, String>);

impl Variables {
    /// The variables of one dashboard, each at its widest value: that of "All".
    pub(crate) fn of(dashboard: &Value) -> Self {
        let values = items(&dashboard["templating"]["list"]).iter().map(|variable| {
            let all = variable["allValue"].as_str().filter(|value| !value.is_empty()).unwrap_or("one|two");
            let value = if variable["includeAll"] == true { all } else { "one" };
            (scalar(&variable["name"]), value.to_owned())
        });
        Self(values.collect())
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    fn value(&self, name: &str) -> Option<&str> {
        match name {
            "__rate_interval" | "__interval" => Some("1m"),
            "__range" => Some("1h"),
            "__interval_ms" | "__range_ms" | "__range_s" | "__from" | "__to" => Some("1000"),
            "__url_time_range" => Some("from=now-1h&to=now"),
            // The columns of a log line, in derived fields.
            "Time.numeric" => Some("1000"),
            _ if ["__field.", "__value.", "__data.", "__series.", "__dashboard", "__user", "__org"]
                .iter()
                .any(|builtin| name.starts_with(builtin)) =>
            {
                Some("one")
            }
            _ => self.0.get(name).map(String::as_str),
        }
    }

    /// `text` with every variable replaced, or the name of one that does not exist.
    pub(crate) fn substitute(&self, text: &str) -> Result<String, String> {
        let mut result = String::new();
        let mut rest = text;
        while let Some(start) = rest.find('$') {
            result.push_str(&rest[..start]);
            rest = &rest[start + 1..];
            let (name, end) = name(rest);
            match self.value(name) {
                _ if name.is_empty() => result.push('$'),
                Some(value) => result.push_str(value),
                None => return Err(name.to_owned()),
            }
            rest = &rest[end..];
        }
        result.push_str(rest);
        Ok(result)
    }
}

/// The variable's name after a `$`, and where the text goes on; an empty name where the `$` is only a character (`$1`
/// belongs to label_replace, `$"` ends a regular expression).
fn name(rest: &str) -> (&str, usize) {
    if let Some(braced) = rest.strip_prefix('{') {
        let Some(end) = braced.find('}') else { return ("", 0) };
        return (braced[..end].split(':').next().unwrap_or_default(), end + 2);
    }
    if !rest.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') {
        return ("", 0);
    }
    let end = rest.find(|next: char| !next.is_ascii_alphanumeric() && next != '_').unwrap_or(rest.len());
    (&rest[..end], end)
}

#[test]
fn variables_are_replaced_in_every_notation() {
    let dashboard = serde_json::json!({"templating": {"list": [
        {"name": "app", "includeAll": true, "allValue": ".*"}, {"name": "trace_id"}
    ]}});
    let variables = Variables::of(&dashboard);
    let replaced = variables.substitute(r#"{app=~"$app", i=~"${app:regex}"} [$__rate_interval] "$1" "a$" ${trace_id}"#);
    assert_eq!(replaced.unwrap(), r#"{app=~".*", i=~".*"} [1m] "$1" "a$" one"#);
    assert_eq!(variables.substitute("up{app=$application}").unwrap_err(), "application");
}
