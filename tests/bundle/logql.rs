//! LogQL, through the parser of Grafana's editor: the npm package `@grafana/lezer-logql`, which `.ci/run` installs.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::findings::Findings;
use crate::queries::{Language, Query};
use crate::tools;

/// The stream labels that Promtail sets.
pub(crate) const LABELS: [&str; 4] = ["app", "instance", "container", "level"];

/// node, and the folder with the package.
pub(crate) struct Parser {
    folder: PathBuf,
}

#[derive(Deserialize)]
struct Parsed {
    errors: Vec<String>,
    selectors: Vec<Vec<Matcher>>,
}

#[derive(Deserialize)]
struct Matcher {
    label: String,
    operator: String,
    value: String,
}

impl Parser {
    /// The parser, or nothing and a message where it is not installed; a failure where it is required.
    pub(crate) fn find() -> Option<Self> {
        // The folder for temporary files is target/tmp, wherever target is.
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).parent()?.join("logql");
        let node = Command::new("node").arg("--version").output().is_ok_and(|output| output.status.success());
        if node && folder.join("node_modules/@grafana/lezer-logql").is_dir() {
            return Some(Self { folder });
        }
        tools::skip("logql", "node, and `npm install --prefix target/logql @grafana/lezer-logql @lezer/lr`");
        None
    }

    fn parse(&self, texts: &[&str]) -> Vec<Parsed> {
        let mut node = Command::new("node")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bundle/logql.mjs"))
            .arg(&self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node starts");
        let input = serde_json::to_vec(texts).expect("texts are JSON");
        node.stdin.take().expect("stdin is piped").write_all(&input).expect("node reads");
        let output = node.wait_with_output().expect("node ends");
        assert!(output.status.success(), "logql.mjs failed: {}", output.status);
        serde_json::from_slice(&output.stdout).expect("logql.mjs writes JSON")
    }
}

pub(crate) fn check(parser: &Parser, queries: &[Query], findings: &mut Findings) {
    let queries: Vec<&Query> = queries.iter().filter(|query| query.language == Language::LogQl).collect();
    let texts: Vec<&str> = queries.iter().map(|query| query.text.trim()).collect();
    for (query, parsed) in queries.iter().zip(parser.parse(&texts)) {
        let mut add = |fault: &str| findings.add(&query.file, &query.path, format!("{fault}: {}", query.text.trim()));
        parsed.errors.iter().for_each(|error| add(&format!("is no LogQL, {error}")));
        if parsed.selectors.is_empty() {
            add("selects no stream");
        }
        for selector in parsed.selectors {
            if !selector.iter().any(Matcher::excludes_the_empty_value) {
                add("Loki refuses a selector in which no matcher excludes the empty value");
            }
            for matcher in selector.iter().filter(|matcher| !LABELS.contains(&matcher.label.as_str())) {
                add(&format!("{:?} is none of the labels {}", matcher.label, LABELS.join(", ")));
            }
        }
    }
}

impl Matcher {
    fn excludes_the_empty_value(&self) -> bool {
        match self.operator.as_str() {
            "=" => !self.value.is_empty(),
            "=~" => !self.value.is_empty() && !self.value.ends_with('*') && !self.value.split('|').any(str::is_empty),
            _ => false,
        }
    }
}
