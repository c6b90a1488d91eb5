//! Every query of the bundle: panels, annotations, variables, Explore links, alert and recording rules, documentation.

use serde_json::Value;

use crate::files::{Bundle, items, scalar, texts};
use crate::findings::Findings;
use crate::links;
use crate::variables::Variables;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    PromQl,
    LogQl,
}

impl Language {
    /// What the data source of this uid speaks.
    pub(crate) fn of(datasource: &str) -> Option<Self> {
        match datasource {
            "prometheus" => Some(Self::PromQl),
            "loki" => Some(Self::LogQl),
            _ => None,
        }
    }
}

/// One query, its variables replaced, and where it stands.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) file: String,
    pub(crate) path: String,
    pub(crate) language: Language,
    pub(crate) text: String,
}

/// All queries, and what is wrong with the places that should hold one.
pub(crate) fn collect(bundle: &Bundle) -> (Vec<Query>, Findings) {
    let mut collector = Collector { queries: Vec::new(), findings: Findings::default(), file: String::new() };
    for (file, dashboard) in bundle.dashboards(&mut collector.findings) {
        collector.file = file;
        collector.dashboard(&dashboard);
    }
    for (file, rules) in bundle.alerting(&mut collector.findings) {
        collector.file = file;
        collector.alerts(&rules);
    }
    for (file, path, datasource) in bundle.datasources(&mut collector.findings) {
        collector.file = file;
        collector.derived_fields(&path, &datasource);
        collector.links_of_spans(&path, &datasource);
    }
    collector.file = "prometheus-rules.yml".to_owned();
    if let Some(rules) = bundle.value("prometheus-rules.yml", &mut collector.findings) {
        collector.recording_rules(&rules);
    }
    for file in bundle.list("", &[".md"]) {
        if let Some(text) = bundle.text(&file, &mut collector.findings) {
            collector.file = file;
            collector.documentation(&text);
        }
    }
    for (language, name) in [(Language::PromQl, "PromQL"), (Language::LogQl, "LogQL")] {
        let found = collector.queries.iter().any(|query| query.language == language);
        collector.findings.expect(found, "grafana/dashboards", "", format!("not one {name} query was found anywhere"));
    }
    (collector.queries, collector.findings)
}

struct Collector {
    queries: Vec<Query>,
    findings: Findings,
    file: String,
}

impl Collector {
    fn add(&mut self, path: &str, language: Language, text: &str, variables: &Variables) {
        match variables.substitute(text) {
            Ok(text) => self.queries.push(Query { file: self.file.clone(), path: path.to_owned(), language, text }),
            Err(name) => {
                self.findings.add(&self.file, path, format!("uses the variable ${name}, which does not exist"))
            }
        }
    }

    fn dashboard(&mut self, dashboard: &Value) {
        let variables = Variables::of(dashboard);
        for (path, panel) in links::panels(dashboard) {
            for (index, target) in items(&panel["targets"]).iter().enumerate() {
                let path = format!("{path}.targets[{index}]");
                self.target(&path, target, &panel["datasource"], &variables);
            }
        }
        for (index, annotation) in items(&dashboard["annotations"]["list"]).iter().enumerate() {
            if annotation.get("expr").is_some() {
                self.target(&format!("annotations.list[{index}]"), annotation, &Value::Null, &variables);
            }
        }
        for (index, variable) in items(&dashboard["templating"]["list"]).iter().enumerate() {
            if variable["type"] == "query" {
                self.variable(&format!("templating.list[{index}].query"), variable, &variables);
            }
        }
        texts(dashboard, "", &mut |path, text| self.explore(path, text, &variables));
    }

    fn target(&mut self, path: &str, target: &Value, panel_datasource: &Value, variables: &Variables) {
        let datasource = target["datasource"]["uid"].as_str().or(panel_datasource["uid"].as_str()).unwrap_or_default();
        match (Language::of(datasource), target["expr"].as_str()) {
            (Some(language), Some(text)) => self.add(&format!("{path}.expr"), language, text, variables),
            (Some(_), None) => self.findings.add(&self.file, path, "has no `expr`"),
            // Tempo's: a trace id, which is no language.
            (None, _) => {
                if let Err(name) = variables.substitute(target["query"].as_str().unwrap_or_default()) {
                    self.findings.add(&self.file, path, format!("uses the variable ${name}, which does not exist"));
                }
            }
        }
    }

    /// `label_values(selector, label)` and `query_result(query)`: what is inside is a query.
    fn variable(&mut self, path: &str, variable: &Value, variables: &Variables) {
        let query = variable["query"]["query"].as_str().or(variable["query"].as_str());
        let datasource = variable["datasource"]["uid"].as_str().and_then(Language::of);
        let inner = query.and_then(|query| {
            let inner = query.strip_suffix(')')?;
            inner
                .strip_prefix("query_result(")
                .or_else(|| Some(inner.strip_prefix("label_values(")?.rsplit_once(',')?.0))
        });
        match (inner, datasource, variable["query"]["stream"].as_str()) {
            (Some(inner), Some(language), _) => self.add(path, language, inner, variables),
            (None, Some(Language::LogQl), Some(stream)) => self.add(path, Language::LogQl, stream, variables),
            _ => self.findings.add(&self.file, path, "is no label_values(selector, label) of a known data source"),
        }
    }

    /// Queries inside links to Explore.
    fn explore(&mut self, path: &str, text: &str, variables: &Variables) {
        if let Some(Ok(panes)) = links::explore_panes(text, variables) {
            for query in panes.queries {
                if let Some(language) = Language::of(&query.datasource) {
                    self.add(path, language, &query.text, &Variables::default());
                }
            }
        }
    }

    fn alerts(&mut self, value: &Value) {
        for (path, rule) in rules(value) {
            for (index, data) in items(&rule["data"]).iter().enumerate() {
                if let Some(language) = data["datasourceUid"].as_str().and_then(Language::of) {
                    let path = format!("{path}.data[{index}].model.expr");
                    match data["model"]["expr"].as_str() {
                        Some(text) => self.add(&path, language, text, &Variables::default()),
                        None => self.findings.add(&self.file, &path, "is missing"),
                    }
                }
            }
            texts(&rule["annotations"], &format!("{path}.annotations"), &mut |path, text| {
                self.explore(path, text, &Variables::default());
            });
        }
    }

    fn derived_fields(&mut self, path: &str, datasource: &Value) {
        for (index, field) in items(&datasource["jsonData"]["derivedFields"]).iter().enumerate() {
            if let (Some(language), Some(text)) =
                (field["datasourceUid"].as_str().and_then(Language::of), field["url"].as_str())
            {
                let path = format!("{path}.jsonData.derivedFields[{index}].url");
                self.add(&path, language, &text.replace("$$", "$"), &Variables::default());
            }
        }
    }

    /// Queries behind the links of a span. `$__tags` are matchers of its labels, `$__span` is the span.
    fn links_of_spans(&mut self, path: &str, datasource: &Value) {
        let data = &datasource["jsonData"];
        let logs = (format!("{path}.jsonData.tracesToLogsV2.query"), &data["tracesToLogsV2"], &data["tracesToLogsV2"]);
        let metrics = items(&data["tracesToMetrics"]["queries"]).iter().enumerate().map(|(index, query)| {
            (format!("{path}.jsonData.tracesToMetrics.queries[{index}].query"), &data["tracesToMetrics"], query)
        });
        for (path, settings, query) in metrics.chain([logs]) {
            let tags = items(&settings["tags"]).iter().map(|tag| format!("{}=\"one\"", scalar(&tag["value"])));
            let tags = tags.collect::<Vec<_>>().join(", ");
            let language = settings["datasourceUid"].as_str().and_then(Language::of);
            if let (Some(language), Some(text)) = (language, query["query"].as_str()) {
                let text = text.replace("$$", "$").replace("${__tags}", &tags).replace("$__tags", &tags);
                self.add(&path, language, &text.replace("${__span.traceId}", "one"), &Variables::default());
            }
        }
    }

    fn recording_rules(&mut self, value: &Value) {
        for (path, rule) in rules(value) {
            match rule["expr"].as_str() {
                Some(text) => self.add(&format!("{path}.expr"), Language::PromQl, text, &Variables::default()),
                None => self.findings.add(&self.file, &path, "has no `expr`"),
            }
        }
    }

    /// The code blocks marked `promql` and `logql`. A line that is indented goes on with the query of the line before.
    fn documentation(&mut self, text: &str) {
        let mut language = None;
        let mut query = (0, String::new());
        for (number, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line)) {
            let goes_on = language.is_some() && line.starts_with([' ', ')']) && !query.1.is_empty();
            if goes_on {
                query.1.push_str(line);
                continue;
            }
            if let Some(language) = language
                && !query.1.is_empty()
            {
                self.add(&format!("line {}", query.0), language, &query.1, &Variables::default());
            }
            query = (number, String::new());
            match line.trim_start().strip_prefix("```") {
                Some("promql") => language = Some(Language::PromQl),
                Some("logql") => language = Some(Language::LogQl),
                Some(_) => language = None,
                None if language.is_some() && !line.starts_with('#') => line.clone_into(&mut query.1),
                None => {}
            }
        }
    }
}

/// The rules of a Prometheus rule file or of Grafana's alerting provisioning, each with its path.
pub(crate) fn rules(value: &Value) -> Vec<(String, &Value)> {
    let groups = items(&value["groups"]).iter().enumerate();
    groups
        .flat_map(|(group, value)| {
            let group =
                value["name"].as_str().map_or_else(|| format!("groups[{group}]"), |name| format!("groups[{name}]"));
            items(&value["rules"]).iter().enumerate().map(move |(index, rule)| {
                let name = [&rule["uid"], &rule["record"]].into_iter().find(|name| name.is_string());
                (format!("{group}.rules[{}]", name.map_or_else(|| index.to_string(), scalar)), rule)
            })
        })
        .collect()
}
