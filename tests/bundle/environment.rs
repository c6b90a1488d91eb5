//! `.env.example` and docker-compose.yml: the same variables with the same defaults, all known to whoever reads them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::files::{Bundle, entries, texts};
use crate::findings::Findings;

/// The service's settings: the name of the environment variable and the default.
pub(crate) type Settings = BTreeMap<String, String>;

/// Set by Compose itself.
const COMPOSES_OWN: &str = "COMPOSE_PROJECT_NAME";

/// A variable of `.env.example`.
struct Example {
    line: usize,
    value: String,
    /// Its line is a comment: what happens without it is the default of the program that reads it.
    commented: bool,
}

pub(crate) fn check(bundle: &Bundle, settings: &Settings) -> Findings {
    let mut findings = Findings::default();
    let examples = examples(&bundle.text(".env.example", &mut findings).unwrap_or_default());
    let mut used: BTreeMap<String, String> = BTreeMap::new();
    for file in bundle.list("", &[".yml"]).into_iter().filter(|file| file.starts_with("docker-compose")) {
        let compose = bundle.value(&file, &mut findings).unwrap_or_default();
        texts(&compose, "", &mut |path, text| {
            // What is only checked is not used, and has no default of its own.
            if path.ends_with(".args.SETTINGS") {
                return;
            }
            for (name, operator, default) in references(text) {
                if name == COMPOSES_OWN {
                    continue;
                }
                used.entry(name.clone()).or_default();
                if operator != ":+" {
                    substituted(&file, path, &name, operator, default, &examples, &mut findings);
                }
            }
        });
        for (service, value) in entries(&compose["services"]) {
            for (name, value) in entries(&value["environment"]) {
                let path = format!("services.{service}.environment.{name}");
                let known = !name.starts_with("REDPANE_") || settings.contains_key(name);
                findings.expect(known, &file, &path, "the service has no such setting");
                if *value == Value::Null {
                    used.entry(name.clone()).or_default();
                    handed_on(&file, &path, name, &examples, settings, &mut findings);
                }
            }
        }
    }
    for (name, example) in &examples {
        let path = format!("line {}", example.line);
        findings.expect(used.contains_key(name), ".env.example", &path, format!("no compose file uses {name}"));
    }
    findings
}

/// `${NAME:-default}`: the default is that of `.env.example`, where nothing stands for "not set".
fn substituted(
    file: &str,
    path: &str,
    name: &str,
    operator: &str,
    default: &str,
    examples: &BTreeMap<String, Example>,
    findings: &mut Findings,
) {
    findings.expect(operator == ":-", file, path, format!("${{{name}}} needs a default: ${{{name}:-…}}"));
    match examples.get(name) {
        // A default made of other variables can only be shown as a comment.
        Some(example) if default.contains("${") => {
            let path = format!("line {}", example.line);
            findings.expect(
                example.commented,
                ".env.example",
                &path,
                "must be a comment: its default is made of others",
            );
        }
        None => findings.add(".env.example", name, format!("is missing; {file}: {path} uses it")),
        Some(example) if example.value.is_empty() => {
            let placeholder = default.is_empty() || default.contains("not-set");
            findings.expect(placeholder, file, path, format!("{name} has the default {default:?}, .env.example none"));
        }
        Some(example) => {
            let same = example.value == default && !example.commented;
            let fault =
                format!("{name} has the default {default:?}, .env.example (line {}) {:?}", example.line, example.value);
            findings.expect(same, file, path, fault);
        }
    }
}

/// A name without a value, handed on when it is set: `.env.example` shows the default of the service, as a comment.
fn handed_on(
    file: &str,
    path: &str,
    name: &str,
    examples: &BTreeMap<String, Example>,
    settings: &Settings,
    findings: &mut Findings,
) {
    match (examples.get(name), settings.get(name)) {
        (None, _) => findings.add(".env.example", name, format!("is missing; {file}: {path} hands it on")),
        (Some(example), Some(default)) => {
            // Where the service has no default, any value shows how one is written.
            let same = example.commented && (example.value == *default || default.starts_with("unset"));
            let fault = format!("must be the comment #{name}={default}, the default of the service");
            findings.expect(same, ".env.example", &format!("line {}", example.line), fault);
        }
        (Some(_), None) => {}
    }
}

/// `NAME=value` and `#NAME=value`; a comment in words has a space after its `#`.
fn examples(text: &str) -> BTreeMap<String, Example> {
    let lines = text.lines().enumerate().filter_map(|(index, line)| {
        let commented = line.starts_with('#');
        let (name, value) = line.trim_start_matches('#').split_once('=')?;
        let is_name = !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
        is_name.then(|| (name.to_owned(), Example { line: index + 1, value: value.to_owned(), commented }))
    });
    lines.collect()
}

/// Compose's substitutions in a text: name, operator (`:-`, `:+`, …, or nothing) and what follows it; those inside a default
/// come after it. `$$` is a dollar.
fn references(text: &str) -> Vec<(String, &str, &str)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find('$') {
        rest = &rest[start + 1..];
        if let Some(escaped) = rest.strip_prefix('$') {
            rest = escaped;
        } else if let Some((inner, after)) = rest.strip_prefix('{').and_then(braced) {
            let end =
                inner.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(inner.len());
            let operator = &inner[end..inner.len().min(end + 2)];
            let default = inner.get(end + 2..).unwrap_or("");
            found.push((inner[..end].to_owned(), operator, default));
            found.extend(references(default));
            rest = after;
        } else {
            found.push((
                rest.chars().take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '_').collect(),
                "",
                "",
            ));
        }
    }
    found
}

/// The text up to the brace that closes the one before it, and what follows.
fn braced(text: &str) -> Option<(&str, &str)> {
    let mut depth = 1;
    let closing = text.char_indices().find(|(_, letter)| {
        depth += i32::from(*letter == '{') - i32::from(*letter == '}');
        depth == 0
    });
    closing.map(|(end, _)| (&text[..end], &text[end + 1..]))
}

#[test]
fn substitutions_are_read_with_operator_and_default() {
    let found = references("a $$b ${C} ${D:-x.y} ${E:+.+} ${F:-x${G:-1}y}");
    let expected = [("C", "", ""), ("D", ":-", "x.y"), ("E", ":+", ".+"), ("F", ":-", "x${G:-1}y"), ("G", ":-", "1")];
    assert_eq!(found, expected.map(|(name, operator, rest)| (name.to_owned(), operator, rest)));
    let nested = references("${F:-a${G}b} ${H}").into_iter().map(|(name, ..)| name).collect::<Vec<_>>();
    assert_eq!(nested, ["F", "G", "H"]);
}
