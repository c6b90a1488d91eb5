//! Documentation: the queries that were promised stand where users look, sections that are linked exist, and every
//! setting is named.

use std::collections::BTreeSet;

use crate::environment::Settings;
use crate::files::{Bundle, items};
use crate::findings::Findings;
use crate::queries::rules;

/// The four queries that the contract says work exactly as written. The last one goes on with a trace id.
const PROMISED: [&str; 4] = [
    r#"sum(rate(http_requests_total{status=~"5.."}[2m])) > 0"#,
    "histogram_quantile(0.99, sum(rate(http_request_duration_seconds_bucket[5m])) by (le))",
    r#"{app="api"} |= "ERROR""#,
    r#"{app="api"} | json | trace_id=""#,
];

pub(crate) fn check(bundle: &Bundle) -> Findings {
    let mut findings = Findings::default();
    let files: Vec<String> =
        bundle.list("", &[".md"]).into_iter().filter(|file| !file.contains('/') || file.starts_with("docs/")).collect();
    let texts: Vec<String> = files.iter().filter_map(|file| bundle.text(file, &mut findings)).collect();
    for query in PROMISED {
        let written = texts.iter().any(|text| text.contains(query));
        findings.expect(written, "README.md", "", format!("neither it nor docs/ shows the query {query}"));
    }
    for (file, text) in files.iter().zip(&texts) {
        links(bundle, file, text, &mut findings);
    }
    findings
}

/// Every setting has its row in the table of settings, with the default that `redpane --help` prints.
pub(crate) fn configuration(bundle: &Bundle, settings: &Settings) -> Findings {
    const FILE: &str = "docs/configuration.md";
    let mut findings = Findings::default();
    let text = bundle.text(FILE, &mut findings).unwrap_or_default();
    for (name, default) in settings {
        let default = default.split([';', ',']).next().unwrap_or_default();
        let row = text.lines().find(|line| line.starts_with(&format!("| `{name}` |")));
        let right = row.is_some_and(|row| row.contains(default));
        findings.expect(right, FILE, name, format!("must have a row in the table, with the default {default:?}"));
    }
    findings
}

/// Documents that say how many alert rules there are, and the words around the number.
const COUNTED: [(&str, &str, &str); 4] = [
    ("README.md", "six dashboards and ", " alerts are provisioned"),
    ("docs/bundle.md", "six dashboards, ", " alerts, data sources"),
    ("docs/bundle.md", "\n\n", " rules; [runbooks.md](runbooks.md)"),
    ("docs/kubernetes.md", "they are all ", " of the bundle"),
];

/// The alert rules are as many as the documents say, in words.
pub(crate) fn alerts(bundle: &Bundle) -> Findings {
    const WORDS: [&str; 10] = [
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
        "twenty",
        "twenty-one",
        "twenty-two",
        "twenty-three",
        "twenty-four",
        "twenty-five",
    ];
    let mut findings = Findings::default();
    let rules: usize = bundle.alerting(&mut findings).iter().map(|(_, value)| rules(value).len()).sum();
    let word = rules.checked_sub(16).and_then(|index| WORDS.get(index)).copied().unwrap_or_default();
    for (file, before, after) in COUNTED {
        let text = bundle.text(file, &mut findings).unwrap_or_default();
        let right = text.to_lowercase().contains(&format!("{before}{word}{after}").to_lowercase());
        findings.expect(right, file, &format!("…{after}"), format!("must say {word:?}: there are {rules} alert rules"));
    }
    findings
}

/// The instructions that README and the document name are those that were counted.
pub(crate) fn instructions(bundle: &Bundle) -> Findings {
    const RESULTS: &str = "bench/results/instructions.json";
    const ROW: &str = "|instructions added to a request|";
    let mut findings = Findings::default();
    let results = bundle.value(RESULTS, &mut findings).unwrap_or_default();
    let counted = |assembly: &str| {
        let counted = items(&results["measured"]).iter().find(|counted| counted["assembly"] == assembly)?;
        let value = |run: &str, key: &str| counted[run][key].as_f64();
        let instructions = value("more", "total")? - value("fewer", "total")?;
        Some(instructions / (value("more", "requests")? - value("fewer", "requests")?))
    };
    let bare = counted("bare");
    let added = ["redpane", "usual"].map(|assembly| Some((counted(assembly)? - bare?).round() as u64));
    let [Some(redpane), Some(usual)] = added else {
        findings.add(RESULTS, "measured", "has not what README compares");
        return findings;
    };
    let row = format!("{ROW}{}|{}: {} times|", thousands(redpane), thousands(usual), usual / redpane);
    let text = bundle.text("README.md", &mut findings).unwrap_or_default();
    findings.expect(text.contains(&row), "README.md", ROW, format!("must be {row}, as it was counted"));
    let table = format!("| {} |", thousands(redpane));
    let text = bundle.text("docs/benchmarks.md", &mut findings).unwrap_or_default();
    findings.expect(text.contains(&table), "docs/benchmarks.md", "Instructions", format!("must have {table}"));
    findings
}

/// A number as the documents write it: 57,958.
fn thousands(number: u64) -> String {
    match number {
        0..1_000 => number.to_string(),
        _ => format!("{},{:03}", thousands(number / 1_000), number % 1_000),
    }
}

/// Links to sections and files of the repository.
fn links(bundle: &Bundle, file: &str, text: &str, findings: &mut Findings) {
    for (number, line) in text.lines().enumerate() {
        for target in line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (page, anchor) = target.split_once('#').unwrap_or((target, ""));
            let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
            let page = if page.is_empty() { file.to_owned() } else { join(folder, page) };
            let at = format!("line {}", number + 1);
            if !bundle.exists(&page) {
                findings.add(file, &at, format!("links to {page}, which does not exist"));
            } else if !anchor.is_empty() && page.ends_with(".md") && !anchors(bundle, &page, findings).contains(anchor)
            {
                findings.add(file, &at, format!("{page} has no section #{anchor}"));
            }
        }
    }
}

fn join(folder: &str, page: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in page.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." | "" => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The anchors GitHub gives to a page's headings.
pub(crate) fn anchors(bundle: &Bundle, file: &str, findings: &mut Findings) -> BTreeSet<String> {
    let text = bundle.text(file, findings).unwrap_or_default();
    let mut in_code = false;
    let mut found = BTreeSet::new();
    for line in text.lines() {
        in_code ^= line.trim_start().starts_with("```");
        let heading = line.trim_start_matches('#');
        if !in_code && heading.len() < line.len() && heading.starts_with(' ') {
            found.insert(anchor(heading));
        }
    }
    found
}

/// The anchor of one heading.
pub(crate) fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}
