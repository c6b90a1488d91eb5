//! A section of docs/runbooks.md as the text of a panel: its queries are made out for the chosen service and linked to
//! Explore, its links lead to the panels of other sections.

use serde_json::json;

use crate::docs::anchor;
use crate::runbooks::{Section, UID};

/// The service that the page uses as an example, and the variable that stands for it in Grafana.
const EXAMPLE: &str = r#"app="api""#;
const CHOSEN: &str = r#"app="${app:raw}""#;

pub(crate) fn panel(text: &str, sections: &[Section]) -> String {
    let mut result = String::new();
    let mut language = None;
    let mut queries: Vec<String> = Vec::new();
    for line in text.trim().lines() {
        match (line.strip_prefix("```"), language) {
            (Some(_), Some(ended)) => {
                result.push_str("```\n");
                let links: Vec<String> = queries.drain(..).filter_map(|query| explore(ended, &query)).collect();
                let numbered = links.iter().zip(1..).map(|(link, number)| format!("[{number}]({link})"));
                let numbered: Vec<String> = numbered.collect();
                if !numbered.is_empty() {
                    result.push_str(&format!("\nAsk in Explore: {}\n", numbered.join(" · ")));
                }
                language = None;
            }
            (Some(name), None) => {
                result.push_str(&format!("```{name}\n"));
                language = Some(name);
            }
            (None, Some(_)) => {
                let line = line.replace(EXAMPLE, CHOSEN).replace("tail 50 api", "tail 50 ${app:raw}");
                match queries.last_mut() {
                    Some(query) if line.starts_with([' ', ')']) => query.push_str(&format!(" {}", line.trim())),
                    _ => queries.push(line.clone()),
                }
                result.push_str(&format!("{line}\n"));
            }
            (None, None) => result.push_str(&format!("{}\n", within(line, sections))),
        }
    }
    result
}

/// Links to sections (`#any-5xx`) become links to their panels. Grafana empties links that begin with neither a slash nor a
/// scheme.
fn within(line: &str, sections: &[Section]) -> String {
    sections.iter().enumerate().fold(line.to_owned(), |line, (index, section)| {
        let panel = format!("(/d/{UID}?viewPanel={}&var-app=${{app:raw}}&${{__url_time_range}})", index + 1);
        line.replace(&format!("(#{})", anchor(&section.title)), &panel)
    })
}

/// A link to one query, over the range of the dashboard.
fn explore(language: &str, query: &str) -> Option<String> {
    let datasource = match language {
        "promql" => "prometheus",
        "logql" => "loki",
        _ => return None,
    };
    let panes = json!({"runbook": {
        "datasource": datasource,
        "queries": [{"refId": "A", "datasource": {"type": datasource, "uid": datasource}, "expr": query}],
        "range": {"from": "${__from}", "to": "${__to}"}
    }});
    Some(format!("/explore?schemaVersion=1&orgId=1&panes={}", encode(&panes.to_string())))
}

/// Percent-encoding that leaves Grafana's variables alone.
fn encode(text: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some((byte, variable)) = rest.bytes().next().map(|byte| (byte, rest.starts_with("${"))) {
        let end = if variable { rest.find('}').map_or(rest.len(), |end| end + 1) } else { 1 };
        let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if variable || plain {
            result.push_str(&rest[..end]);
            rest = &rest[end..];
        } else {
            let letter = rest.chars().next().map_or(1, char::len_utf8);
            result.extend(rest[..letter].bytes().map(|byte| format!("%{byte:02X}")));
            rest = &rest[letter..];
        }
    }
    result
}

#[test]
fn queries_and_sections_are_linked_so_that_grafana_keeps_the_links() {
    let page = "# A\n\n# B c\n";
    let sections = crate::runbooks::sections(page);
    let text = "See [b](#b-c).\n\n```promql\nup{app=\"api\"}\n  > 0\nup\n```\n\n```sh\nls\n```\n";
    let made = panel(text, &sections);
    assert!(
        made.contains("See [b](/d/redpane-runbooks?viewPanel=2&var-app=${app:raw}&${__url_time_range})."),
        "{made}"
    );
    assert!(made.contains("```promql\nup{app=\"${app:raw}\"}\n  > 0\nup\n```"), "{made}");
    assert_eq!(made.matches("](/explore?schemaVersion=1&orgId=1&panes=%7B").count(), 2, "{made}");
    assert!(made.contains("%22expr%22%3A%22up%7Bapp%3D%5C%22${app:raw}%5C%22%7D%20%3E%200%22"), "{made}");
}
